#!/bin/sh
# Makes this machine a fog node (or another tier) under systemd: a Raspberry Pi, or any Linux on 64 bit.
#
#   install.sh --join HOST:PORT --token TOKEN      from pip's index
#   install.sh --wheel FILE --join ...             from a wheel; what it needs may lie beside it
#
#   --tier TIER      node (default), aggregator, cloud or dashboard
#   --version V      this release and not the newest
#   --join H:P       where the parent enrols machines; needs a token of `fogline token create`
#   --token T        better in the environment: FOGLINE_JOIN_TOKEN; a flag can be read by everybody on the machine
#   --python P       the Python to use (default: python3)
#   --no-start       start nothing
#   --remove         stop and remove every tier of this machine; what they keep below /var/lib/fogline stays
#   --root DIR       put everything below DIR, and leave accounts and systemd alone
#
# Run it again at any time: it mends what is missing. With --wheel or --version it updates what is there.
set -eu
NEEDED_MB=600

say() { printf 'fogline: %s\n' "$*"; }
fail() {
  printf 'fogline: %s\n' "$*" >&2
  exit 1
}
usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"
  exit "$1"
}

tier=node wheel='' version='' parent='' token=${FOGLINE_JOIN_TOKEN:-} python=python3 start=yes remove=no root=''
while [ $# -gt 0 ]; do
  case $1 in
  --help | -h) usage 0 ;;
  --no-start) start=no && shift && continue ;;
  --remove) remove=yes && shift && continue ;;
  --tier | --wheel | --version | --join | --token | --python | --root) [ $# -ge 2 ] || fail "$1 needs a value" ;;
  *) fail "there is no option $1; --help lists them" ;;
  esac
  case $1 in
  --tier) tier=$2 ;;
  --wheel) wheel=$2 ;;
  --version) version=$2 ;;
  --join) parent=$2 ;;
  --token) token=$2 ;;
  --python) python=$2 ;;
  --root) root=$2 ;;
  esac
  shift 2
done

case $tier in
node | aggregator | cloud | dashboard) ;;
*) fail "there is no tier $tier; known are node, aggregator, cloud, dashboard" ;;
esac
[ "$(uname -s)" = Linux ] || fail "the tiers run on Linux"
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "run this as root, for example with sudo"
opt=$root/opt/fogline etc=$root/etc/fogline state=$root/var/lib/fogline units=$root/etc/systemd/system

if [ $remove = yes ]; then
  [ -d "$opt" ] || fail "there is no Fogline in $opt"
  while read -r each; do
    [ -n "$root" ] || systemctl disable --quiet --now "fogline-$each" || true
    rm -f "$units/fogline-$each.service"
    [ ! -L "$etc/$each.toml" ] || rm "$etc/$each.toml"
  done <"$opt/tiers"
  [ -n "$root" ] || systemctl daemon-reload
  rm -rf "$opt"
  say "removed; messages, identity and settings stay: rm -r $state $etc removes them, userdel fogline the account"
  say "the cloud knows this machine until: fogline node revoke NAME, fogline nodes retire NAME"
  say "containers that a node started go on: docker ps --filter label=fogline.node"
  exit 0
fi

[ -z "$wheel" ] || [ -f "$wheel" ] || fail "there is no file $wheel"
[ -z "$wheel" ] || [ -z "$version" ] || fail "--wheel and --version name two releases"
[ -z "$parent" ] || [ -n "$token" ] || fail "--join needs a token: --token, or FOGLINE_JOIN_TOKEN in the environment"
case $tier:$parent in
cloud:?* | dashboard:?*) fail "a $tier joins nothing" ;;
esac
case $token in
'' | fj1.*) ;;
*) fail "this is no join token: one begins with fj1., and \`fogline token create\` prints it where the cloud is" ;;
esac
command -v "$python" >/dev/null || fail "there is no $python; install Python 3.11 or newer, or name one with --python"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is older than Python 3.11"
"$python" -c 'import sys; sys.exit(sys.maxsize < 2**32)' ||
  fail "$python is a 32-bit program: Fogline needs a 64-bit system (Raspberry Pi OS: the 64-bit image)"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  fail "$python makes no virtual environments; on Debian and Raspberry Pi OS: apt-get install python3-venv"
[ -n "$root" ] || [ "$start" = no ] || command -v systemctl >/dev/null ||
  fail "there is no systemd here; with --no-start only the program is installed"

# A release with what it needs, and room for the next one beside it.
there=$opt
while [ ! -d "$there" ]; do there=$(dirname "$there"); done
free=$(df -Pk "$there" | awk 'NR == 2 { print int($4 / 1024) }')
[ -e "$opt/current/bin/fogline" ] || [ "$free" -ge "$NEEDED_MB" ] || fail "only $free MB are free at $there; Fogline needs $NEEDED_MB MB there"

if [ -n "$root" ]; then
  mkdir -p "$root"
  root=$(cd "$root" && pwd)
fi
if [ -n "$wheel" ]; then wheel=$(cd "$(dirname "$wheel")" && pwd)/$(basename "$wheel"); fi
opt=$root/opt/fogline etc=$root/etc/fogline state=$root/var/lib/fogline units=$root/etc/systemd/system
fogline=$opt/current/bin/fogline
mkdir -p "$opt" "$etc" "$units"

as_fogline() { if [ -n "$root" ]; then "$@"; else runuser -u fogline -- "$@"; fi; }

if [ -z "$root" ] && ! getent passwd fogline >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/fogline --no-create-home --shell /usr/sbin/nologin fogline
  say "made the account fogline"
fi
mkdir -p "$state/$tier"
chmod 0700 "$state/$tier"
[ -n "$root" ] || chown fogline:fogline "$state" "$state/$tier"

# What is installed here, one tier a line: an update installs and starts all of them.
added=no
if ! grep -qsx "$tier" "$opt/tiers"; then
  echo "$tier" >>"$opt/tiers"
  added=yes
fi
extras=$(tr '\n' ',' <"$opt/tiers" | sed 's/,$//')

requirement="fogline[$extras]"
[ -z "$wheel" ] || requirement="fogline[$extras] @ file://$wheel"
[ -z "$version" ] || requirement="fogline[$extras]==$version"
install_into() {
  if [ -n "$wheel" ]; then
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --find-links "$(dirname "$wheel")" "$requirement"
  else
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check "$requirement"
  fi
}

if ! (cd / && "$fogline" --version) >/dev/null 2>&1; then
  say "installing (a minute or two) ..."
  rm -rf "$opt/a" "$opt/trial" "$opt/trial-starts"
  "$python" -m venv "$opt/a"
  install_into "$opt/a" || fail "pip could not install it: without network --wheel FILE, with what it needs beside it"
  rm -f "$opt/current.new"
  ln -s a "$opt/current.new"
  mv -T "$opt/current.new" "$opt/current"
elif [ -n "$wheel$version" ]; then
  set -- update --prefix "$opt"
  [ -z "$wheel" ] || set -- "$@" --wheel "$wheel"
  [ -z "$version" ] || set -- "$@" --version "$version"
  if [ -n "$root" ] || [ "$start" = no ] || [ $added = yes ] || [ ! -s "$etc/$tier.toml" ]; then set -- "$@" --no-start; fi
  (cd / && "$fogline" node "$@")
elif [ $added = yes ]; then
  say "adding what a $tier needs ..."
  install_into "$opt/current" || fail "pip could not install what a $tier needs"
fi
say "$(cd / && "$fogline" --version) is in $opt"

shipped=$opt/current/share/fogline/systemd
cp "$shipped/fogline-$tier.service" "$units/fogline-$tier.service"
cp "$shipped/fogline-trial" "$opt/fogline-trial"
chmod 0755 "$opt/fogline-trial"

if [ -n "$parent" ]; then
  if [ -e "$state/$tier/identity" ]; then
    say "this machine has joined before and keeps its identity; to join again remove $state/$tier/identity"
  else
    (cd / && FOGLINE_JOIN_TOKEN=$token as_fogline "$fogline" "$tier" join "$parent" --folder "$state/$tier") ||
      fail "it is installed and has not joined; run this again with --join and a token that holds"
  fi
fi
# Joining writes settings; whoever wants others puts a file of their own here.
case $tier in
node | aggregator) [ -e "$etc/$tier.toml" ] || ln -sfn "$state/$tier/$tier.toml" "$etc/$tier.toml" ;;
*) [ -e "$etc/$tier.toml" ] || : >"$etc/$tier.toml" ;;
esac

if [ -n "$root" ]; then exit 0; fi
if ! command -v systemctl >/dev/null; then exit 0; fi
systemctl daemon-reload
systemctl enable --quiet "fogline-$tier"
if [ "$start" = no ]; then exit 0; fi
if [ ! -s "$etc/$tier.toml" ] && [ "$tier" != cloud ] && [ "$tier" != dashboard ]; then
  say "no settings yet: join (--join, --token), or write $etc/$tier.toml; then: systemctl start fogline-$tier"
  exit 0
fi
systemctl restart "fogline-$tier"
say "fogline-$tier runs: journalctl -u fogline-$tier shows what it says"
