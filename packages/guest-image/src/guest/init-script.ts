/** First process of the tiny guest. `@MODULES@` and `@NETWORK_MODULES@` become lists of kernel modules in loading order. */
const TEMPLATE = `#!/bin/sh
# First process of the tiny warmvm guest. If it ends, the kernel panics, and panic=-1 with -no-reboot ends the machine.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev
mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs /run
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /tmp
mkdir -m 0700 /run/warmvm
mkdir /dev/virtio-ports
chmod 0755 /
ln -s /proc/self/fd /dev/fd
echo warmvm > /proc/sys/kernel/hostname
for module in @MODULES@; do insmod "/lib/modules/$module.ko"; done

# A network card, where there is one: with the first address that QEMU's own networks give.
for entry in /sys/bus/virtio/devices/*; do
  read -r kind < "$entry/device"
  [ "$kind" = 0x0001 ] || continue
  for module in @NETWORK_MODULES@; do insmod "/lib/modules/$module.ko"; done
  ip link set lo up
  # Its IPv6 address would outlive the card's own, and be the same in all forks.
  echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
  ip address add 10.0.2.15/24 dev eth0
  ip link set eth0 up
  ip route add default via 10.0.2.2
  echo nameserver 10.0.2.3 > /etc/resolv.conf
  break
done

# The disk: what carries a file system is mounted, what is blank gets one, anything else is left alone.
disk=/dev/vda
if [ -b $disk ]; then
  # As many bytes as any file system or partition table keeps its signature in.
  cmp -s -n 69632 $disk /dev/zero && mke2fs -m 0 -i 16384 $disk >/dev/null 2>&1
  mount -t ext4 -o nosuid,nodev,noinit_itable $disk /disk ||
    echo "warmvm: $disk is not blank and carries no file system that can be mounted" >/dev/console
fi

# The port's name shows up a little after its driver is loaded.
port=
attempts=0
while [ -z "$port" ] && [ $attempts -lt 500 ]; do
  for entry in /sys/class/virtio-ports/vport*; do
    [ -r "$entry/name" ] || continue
    read -r name < "$entry/name"
    [ "$name" = org.qemu.guest_agent.0 ] && port=\${entry##*/}
  done
  [ -n "$port" ] || usleep 20000
  attempts=$((attempts + 1))
done
[ -n "$port" ] || echo "warmvm: this machine has no channel named org.qemu.guest_agent.0" >/dev/console
[ -n "$port" ] && ln -sf "/dev/$port" /dev/virtio-ports/org.qemu.guest_agent.0

cd /
while :; do
  qemu-ga -m virtio-serial -p /dev/virtio-ports/org.qemu.guest_agent.0 -t /run </dev/null >/dev/null 2>&1
  usleep 200000
done
`;

/** The script for a guest that loads these modules, and these only where it finds a network card. */
export function initScript(modules: readonly string[], networkModules: readonly string[]): string {
  return TEMPLATE.replace('@MODULES@', modules.join(' ')).replace('@NETWORK_MODULES@', networkModules.join(' '));
}

/** The agent shuts a guest down through this program, which busybox lacks. */
export const SHUTDOWN_SCRIPT: string = `#!/bin/sh
# Understands what the guest agent says: shutdown -h -P|-H|-r +0 "message".
action=poweroff
for word in "$@"; do
  case $word in
    -r) action=reboot ;;
    -H) action=halt ;;
  esac
done
sync
umount /disk 2>/dev/null || mount -o remount,ro /disk 2>/dev/null
exec $action -f
`;
