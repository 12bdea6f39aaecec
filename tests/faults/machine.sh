# The first process of a host (tests/faults/machine.py): when it is killed, the kernel ends all that runs here.
#
#     unshare --pid --mount --net --uts --ipc --mount-proc --fork sh machine.sh NAME FOLDER LAN WAN
#
# LAN and WAN are this end's addresses on its two wires. FOLDER is the disk; /run and /dev/shm are empty at every boot.
name=$1 folder=$2 lan=$3 wan=$4
hostname "$name"
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /dev/shm
mkdir -p /run/lock
cat /proc/sys/kernel/random/uuid >/run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
echo 1 >/proc/sys/net/ipv4/ip_forward
ip link set lo up
for wire in "lan $lan" "wan $wan"; do
  set -- $wire
  until ip address add "$2" dev "$1" 2>/dev/null; do sleep 0.01; done
  ip link set "$1" up
done

# As an init system does: both at once, and again when one has ended.
while :; do
  dockerd --data-root "$folder/docker" --exec-root /run/docker --pidfile /run/docker.pid \
    --host unix:///run/docker.sock --cgroup-parent "/$name" --bip 172.29.0.1/24 >>"$folder/dockerd.log" 2>&1 </dev/null
  sleep 2
done &
while :; do
  "$FOGLINE_PYTHON" -m fogline node --settings "$folder/node.toml" >>"$folder/node.log" 2>&1 </dev/null
  sleep 2
done &
wait
