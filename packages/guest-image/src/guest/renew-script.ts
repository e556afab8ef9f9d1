/** Where the renewal program is in the guest; drivers call it after every fork and reset. */
export const RENEW_PATH = '/usr/lib/warmvm/renew';
/** Where the reseed program is in the guest. */
export const RESEED_PATH = '/usr/lib/warmvm/reseed';

/** The renewal program. Builtins of the shell wherever possible: every process costs milliseconds under emulation. */
export const RENEW_SCRIPT: string = `#!/bin/sh
# renew generationId hostname machineId, 64 random bytes on standard input. Run as root after every fork and reset.
# Reseeds the kernel, takes on the identity, and prints: warmvm-renewed <generationId> <memoryGeneration> <diskGeneration>
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 077

fail() {
  echo "renew: $1" >&2
  exit 1
}
check() {
  [ \${#2} -ge 1 ] && [ \${#2} -le "$3" ] || fail "$1 must have 1 to $3 characters"
  case $2 in *[!A-Za-z0-9.-]*) fail "$1 may hold only letters, digits, dots and hyphens" ;; esac
}
previous() {
  found=-
  [ -e "$1" ] || return 0
  read -r found < "$1" || fail "$1 is damaged"
  check "$1" "$found" 128
}

[ $# -eq 3 ] || fail "expected generationId hostname machineId"
check generationId "$1" 128
check hostname "$2" 64
check machineId "$3" 64

# First of all, so that nothing below draws from the generator that all forks share.
${RESEED_PATH} || fail "the kernel was not reseeded (reseed exit code $?)"

# The disk's generation must come from the disk: what the memory remembers of it is forgotten first.
disk=
while read -r _ point type _; do
  [ "$point" = /disk ] && disk=$type
done < /proc/mounts
case $disk in ext*) ;; *) fail "no disk is mounted on /disk" ;; esac
echo 3 > /proc/sys/vm/drop_caches
previous /run/warmvm/generation
memoryGeneration=$found
previous /disk/.warmvm-generation
diskGeneration=$found

echo "$2" > /proc/sys/kernel/hostname
umask 022
echo "$2" > /etc/hostname
echo "$3" > /etc/machine-id
umask 077
read -r bootId < /proc/sys/kernel/random/uuid
echo "$bootId" > /run/warmvm/boot_id
read -r shownBootId < /proc/sys/kernel/random/boot_id
if [ "$shownBootId" != "$bootId" ]; then
  mount --bind /run/warmvm/boot_id /proc/sys/kernel/random/boot_id
fi

echo "$1" > /disk/.warmvm-generation
sync /disk/.warmvm-generation
echo "$1" > /run/warmvm/generation
echo "warmvm-renewed $1 $memoryGeneration $diskGeneration"
`;
