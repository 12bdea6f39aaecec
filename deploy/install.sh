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
#   --remove         stop and remove every tier of this machine; what they keep stays, and is named
#   --root DIR       put everything below DIR, and leave accounts and systemd alone
#
# Run it again at any time, also after it failed or was cut off: it mends what is missing. With --wheel or --version it
# updates what is there, if that is another release.
set -eu
NEEDED_MB=600

say() { printf 'fogline: %s\n' "$*"; }
fail() {
  printf 'fogline: %s\n' "$*" >&2
  exit 1
}
TIERS='node aggregator cloud dashboard'
# Two at once would take each other's files away. Of one that was killed pip may still be at work: it holds the lock, too.
alone() {
  exec 9>"$opt/lock"
  flock -n 9 || fail "another install.sh is at work in $opt, or what it began is: wait until that has ended"
}
# What stays when the program goes: nothing of it may go, or stay, without being said.
say_kept() {
  for each in $TIERS; do
    [ -d "$state/$each" ] || continue
    what=''
    [ ! -e "$state/$each/identity" ] || what=', with its identity'
    [ ! -e "$state/$each/journal" ] || what="$what, with a journal whose messages may be nowhere else"
    say "kept: $state/$each, $(du -sh "$state/$each" | cut -f1) of the $each$what"
  done
  for each in "$etc" "$units"/fogline-*.service.d; do
    [ ! -d "$each" ] || say "kept: $each, settings of this machine"
  done
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
*) fail "there is no tier $tier; known are $TIERS" ;;
esac
# A pasted token brings blanks and line ends along.
token=$(printf %s "$token" | tr -d '[:space:]')
[ "$(uname -s)" = Linux ] || fail "the tiers run on Linux"
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "run this as root, for example with sudo"
opt=$root/opt/fogline etc=$root/etc/fogline state=$root/var/lib/fogline units=$root/etc/systemd/system

if [ $remove = yes ]; then
  found=$(for each in $TIERS; do [ ! -e "$units/fogline-$each.service" ] || echo "$each"; done)
  if [ ! -d "$opt" ] && [ -z "$found" ]; then
    say_kept
    fail "there is no Fogline in $opt"
  fi
  [ ! -d "$opt" ] || alone
  for each in $found; do
    [ -n "$root" ] || systemctl disable --quiet --now "fogline-$each" || true
    rm -f "$units/fogline-$each.service"
    [ ! -L "$etc/$each.toml" ] || rm "$etc/$each.toml"
  done
  [ -n "$root" ] || systemctl daemon-reload
  # The link first: what is cut off in the middle is no installation any more, and this line goes on with it.
  rm -f "$opt/current"
  rm -rf "$opt"
  say "removed: the program and its units"
  say_kept
  say "install.sh makes it the same machine again; rm -r of what was kept makes that impossible, userdel fogline removes the account"
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
case $parent in
'' | *:[0-9]*) ;;
*) fail "--join needs the port where machines join: $parent:7073 if it is a cloud, $parent:7075 if it is an aggregator" ;;
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
free=$(df -Pk "$there" | { read -r _; read -r _ _ _ kib _; echo $((kib / 1024)); })
[ -e "$opt/current/bin/fogline" ] || [ "$free" -ge "$NEEDED_MB" ] || fail "only $free MB are free at $there; Fogline needs $NEEDED_MB MB there"

if [ -n "$root" ]; then
  mkdir -p "$root"
  root=$(cd "$root" && pwd)
fi
if [ -n "$wheel" ]; then wheel=$(cd "$(dirname "$wheel")" && pwd)/$(basename "$wheel"); fi
opt=$root/opt/fogline etc=$root/etc/fogline state=$root/var/lib/fogline units=$root/etc/systemd/system
fogline=$opt/current/bin/fogline
mkdir -p "$opt" "$etc" "$units"
alone
trap 'fail "cut off; the same line goes on from here"' HUP INT TERM

as_fogline() { if [ -n "$root" ]; then "$@"; else runuser -u fogline -- "$@"; fi; }

if [ -z "$root" ] && ! getent passwd fogline >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/fogline --no-create-home --shell /usr/sbin/nologin fogline
  say "made the account fogline"
fi
mkdir -p "$state/$tier"
chmod 0700 "$state/$tier"
# Also what root made by hand with `fogline node join`: the tier could not read it.
[ -n "$root" ] || chown fogline:fogline "$state"
[ -n "$root" ] || find "$state/$tier" -xdev -user root -exec chown -h fogline:fogline {} +

# What is installed here, one tier a line: an update installs and starts all of them.
grep -qsx "$tier" "$opt/tiers" || echo "$tier" >>"$opt/tiers"
extras=$(tr '\n' ',' <"$opt/tiers" | sed 's/,$//')

requirement="fogline[$extras]"
[ -z "$wheel" ] || requirement="fogline[$extras] @ file://$wheel"
[ -z "$version" ] || requirement="fogline[$extras]==$version"
install_into() {
  set -- "$1/bin/python" -m pip install --quiet --disable-pip-version-check
  [ -z "$wheel" ] || set -- "$@" --find-links "$(dirname "$wheel")"
  "$@" "$requirement" || fail "pip could not install it, see above; the same line goes on from here. \
Without a network: --wheel FILE, with what it needs beside it"
}
release() { (cd / && "$fogline" --version) 2>/dev/null; }
# Which release was asked for here last, so that the same line again has nothing to do.
asked=$version
[ -z "$wheel" ] || asked=$(sha256sum <"$wheel")

# What runs is not what is installed, until it was started again; also if this is cut off before.
changed() { : >"$opt/changed"; }
if ! there=$(release); then
  say "installing (a minute or two) ..."
  rm -rf "$opt/a" "$opt/trial" "$opt/trial-starts"
  "$python" -m venv "$opt/a"
  install_into "$opt/a"
  echo "$asked" >"$opt/a/asked"
  echo "$extras" >"$opt/a/extras"
  # The link must not lead to files that a power cut would empty.
  sync
  rm -f "$opt/current.new"
  ln -s a "$opt/current.new"
  changed
  mv -T "$opt/current.new" "$opt/current"
elif [ -n "$asked" ] && [ "$asked" != "$(cat "$opt/current/asked" 2>/dev/null)" ]; then
  set -- update --prefix "$opt"
  [ -z "$wheel" ] || set -- "$@" --wheel "$wheel"
  [ -z "$version" ] || set -- "$@" --version "$version"
  if [ -n "$root" ] || [ "$start" = no ] || [ ! -e "$units/fogline-$tier.service" ] || [ ! -s "$etc/$tier.toml" ]; then
    set -- "$@" --no-start
    changed
  fi
  (cd / && "$fogline" node "$@") || fail "no update, see above; what was installed stays"
  echo "$asked" >"$opt/current/asked"
  there=$(release) || there=''
# An environment that `fogline node update` made notes nothing, and has what the tiers need that were known then.
elif [ "$extras" != "$(cat "$opt/current/extras" 2>/dev/null)" ] && ! (cd / && "$fogline" "$tier" --help) >/dev/null 2>&1; then
  say "adding what a $tier needs ..."
  changed
  install_into "$opt/current"
  echo "$extras" >"$opt/current/extras"
fi
[ -n "$there" ] || there=$(release) || fail "what was installed in $opt does not run: run this again"
say "$there is in $opt"

shipped=$opt/current/share/fogline/systemd
cmp -s "$shipped/fogline-$tier.service" "$units/fogline-$tier.service" || changed
cp "$shipped/fogline-$tier.service" "$units/fogline-$tier.service"
cp "$shipped/fogline-trial" "$opt/fogline-trial"
chmod 0755 "$opt/fogline-trial"

if [ -n "$parent" ]; then
  if [ -e "$state/$tier/identity" ]; then
    say "this machine has joined before and keeps its identity, whatever --join says; to join anew remove \
$state/$tier/identity and take a new token"
  else
    changed
    (cd / && FOGLINE_JOIN_TOKEN=$token as_fogline "$fogline" "$tier" join "$parent" --folder "$state/$tier") ||
      fail "the program is installed, but this machine has not joined, see above; mend that, and the same line goes on \
from here (a new token goes where the old one stood)"
  fi
fi
# Joining writes settings; whoever wants others puts a file of their own here.
case $tier in
node | aggregator) [ -e "$etc/$tier.toml" ] || ln -sfn "$state/$tier/$tier.toml" "$etc/$tier.toml" ;;
*) [ -e "$etc/$tier.toml" ] || : >"$etc/$tier.toml" ;;
esac

settings=yes
case $tier in
node | aggregator) [ -s "$etc/$tier.toml" ] || settings=no ;;
esac
no_settings() {
  if [ -e "$state/$tier/identity" ]; then
    fail "this machine has joined, and $etc/$tier.toml is gone or empty: put it back, or remove $state/$tier/identity and join anew"
  else
    say "no settings yet: join (--join, --token), or write $etc/$tier.toml; then: systemctl enable --now fogline-$tier"
  fi
}

if [ -n "$root" ] || ! command -v systemctl >/dev/null; then
  [ $settings = yes ] || no_settings
  exit 0
fi
systemctl daemon-reload
# What has no settings would fail at every boot, again and again.
if [ $settings = no ]; then
  no_settings
  exit 0
fi
systemctl enable --quiet "fogline-$tier"
if [ "$start" = no ]; then exit 0; fi
how=start
[ ! -e "$opt/changed" ] || how=restart
if ! systemctl $how "fogline-$tier"; then
  say "the last that it said:" >&2
  journalctl --quiet --no-pager --output cat --identifier fogline --unit "fogline-$tier" --lines 6 >&2 || true
  fail "fogline-$tier does not come up, and is tried again and again: journalctl -u fogline-$tier says more"
fi
rm -f "$opt/changed"
say "fogline-$tier runs: journalctl -u fogline-$tier shows what it says"
