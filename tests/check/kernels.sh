#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Boots each kernel of tests/kernels.txt in qemu (software emulation, no network, no disk) on an
# initramfs with the built binaries, runs there tests/bpf and the smoke test of the daemon, and
# compares bpf/kernel.h with that kernel's BTF. Usage: kernels.sh BUILD [VERSION...].
# Kernels are downloaded into BUILD/kernels, extracted there and never installed; the package lists
# used for that live there too, so that the host's sources do not matter.
# GUEST_TESTS: other test files (a pattern, see suite.sh). GUEST_SECONDS: limit for one guest.
# GUEST_TAIL: lines shown of what failed. PICKET_SLOW: how many times longer the stories wait for
# something there.
set -Eeuo pipefail
trap 'echo "kernels: failed at line $LINENO" >&2' ERR
cd "$(dirname "$0")/../.."
build=$(realpath "$1")
shift
kernels=$build/kernels
tests=${GUEST_TESTS:-@(bpf/*|e2e/smoke*)}
limit=${GUEST_SECONDS:-1500}
slow=${PICKET_SLOW:-4}
passed=0 failed=0 skipped=0

# Debian's package lists of our own.
apt_here() {
	local cmd=$1
	shift
	"$cmd" -q -o Dir::Etc::sourcelist="$kernels/apt/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$kernels/apt/lists" -o Dir::Cache="$kernels/apt/cache" \
		-o APT::Sandbox::User=root -o APT::Architecture=amd64 "$@"
}

# The first mirror that this host's apt uses, by the end of its address.
configured() {
	apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 "$1\$" || true
}

apt_prepare() {
	local key=/usr/share/keyrings/debian-archive-keyring.gpg suite mirror security
	[ ! -e "$kernels/apt/ready" ] || return 0
	[ -e $key ] || {
		echo "kernels: $key is missing: apt-get install debian-archive-keyring" >&2
		return 1
	}
	mirror=${DEBIAN_MIRROR:-$(configured '/debian/*')}
	security=${DEBIAN_SECURITY:-$(configured '/debian-security/*')}
	[ -n "$mirror" ] && [ -n "$security" ] || {
		echo "kernels: apt knows no Debian mirror: set DEBIAN_MIRROR and DEBIAN_SECURITY" >&2
		return 1
	}
	mkdir -p "$kernels/apt/lists/partial" "$kernels/apt/cache/archives/partial"
	for suite in bookworm bookworm-backports; do
		echo "deb [signed-by=$key] $mirror $suite main"
	done >"$kernels/apt/sources.list"
	echo "deb [signed-by=$key] $security bookworm-security main" \
		>>"$kernels/apt/sources.list"
	apt_here apt-get update >"$kernels/apt/log" 2>&1 || {
		cat "$kernels/apt/log" >&2
		return 1
	}
	touch "$kernels/apt/ready"
}

# fetch VERSION: leaves the extracted package in $kernels/VERSION.
fetch() {
	local dir=$kernels/$1 package
	[ ! -e "$dir/ready" ] || return 0
	apt_prepare
	package=$(apt_here apt-cache search --names-only \
		"^linux-image-${1//./\\.}\\.[0-9]+[-+].*cloud-amd64\$" | cut -d' ' -f1 |
		sort -V | tail -n 1)
	[ -n "$package" ] || {
		echo "kernels: Debian has no cloud image of $1" >&2
		return 1
	}
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$dir" && apt_here apt-get download "$package" >log 2>&1) || {
		cat "$dir/log" >&2
		return 1
	}
	dpkg-deb -x "$dir"/*.deb "$dir"
	rm -f "$dir"/*.deb
	ls "$dir/lib/modules" >"$dir/release"
	depmod -b "$dir" "$(cat "$dir/release")"
	touch "$dir/ready"
}

# unpack_kernel BZIMAGE OUT: the ELF inside, for its BTF.
unpack_kernel() {
	python3 - "$1" "$2" <<'PY'
import subprocess, sys
image = open(sys.argv[1], "rb").read()
for magic, tool in ((b"\x02!L\x18", ["lz4", "-dc"]), (b"\xfd7zXZ\0", ["xz", "-dc"]),
                    (b"\x28\xb5\x2f\xfd", ["zstd", "-dcq"]),
                    (b"\x1f\x8b\x08", ["gzip", "-dc"])):
    at = image.find(magic)
    while at >= 0:
        # Trailing bytes make the tools complain after they wrote all of it.
        out = subprocess.run(tool, input=image[at:], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout
        if out[:4] == b"\x7fELF":
            open(sys.argv[2], "wb").write(out)
            sys.exit(0)
        at = image.find(magic, at + 1)
sys.exit("no kernel found in " + sys.argv[1])
PY
}

# The libraries that a program needs, into $root.
put_libraries() {
	local lib
	while read -r lib; do
		[ -e "$root$lib" ] || install -D "$lib" "$root$lib"
	done < <({ ldd "$1" 2>/dev/null || true; } | { grep -oE '/[^ ]+' || true; })
}

# put FILE: a program with its libraries.
put() {
	[ -e "$root$1" ] || install -D "$1" "$root$1"
	put_libraries "$1"
}

# initramfs VERSION OUT
initramfs() {
	local root dir=$kernels/$1 release tool path module
	release=$(cat "$dir/release")
	root=$(mktemp -d)
	chmod 755 "$root" # it becomes /, which others than root must enter
	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,run,tmp,etc,root,var/lib,modules}
	busybox=$(command -v busybox)
	install "$busybox" "$root/bin/busybox"
	for tool in bash env date timeout find sort sed awk grep mktemp realpath readlink xargs \
		ip tc nc nsenter findmnt setsid pgrep bats jq curl stat tr cut head tail seq; do
		path=$(realpath "$(command -v "$tool")")
		put "$path"
		install -d "$root/usr/bin"
		[ "$path" = "/usr/bin/$tool" ] || ln -sf "$path" "$root/usr/bin/$tool"
	done
	ln -s /usr/bin/bash "$root/bin/bash"
	for path in /usr/lib/bats-core /usr/libexec/bats-core /usr/lib/locale/C.utf8; do
		[ ! -e "$path" ] || cp -r --parents "$path" "$root/"
	done
	mkdir -p "$build/tests/bpf" "$build/tests/e2e" "$root/root/build"
	(cd "$build" && find . -maxdepth 3 -not -path './kernels/*' -type f \( -perm /111 -o -name '*.bpf.o' \) \
		-not -path '*/fuzz/*' -not -path '*/unit/*' -print0 | xargs -0 cp --parents -t "$root/root/build")
	find "$root/root/build" -type f -perm /111 | while read -r path; do put_libraries "$path"; done
	git ls-files -z tests user/share | grep -zvE '^tests/(fuzz|unit)/' |
		xargs -0 cp --parents -t "$root/root"
	printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n' \
		>"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	# Modules in the order in which they can be inserted.
	for module in veth sch_ingress cls_bpf act_bpf 8021q dummy bridge vxlan geneve ip_gre ipip \
		sit sctp tun ipv6 af_packet; do
		modprobe -S "$release" -d "$dir" --show-depends "$module" 2>/dev/null ||
			true # built in, or not in this kernel
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
		module=$(basename "${path%.xz}")
		case $path in
		*.xz) xz -dc "$path" >"$root/modules/$module" ;;
		*) cp "$path" "$root/modules/$module" ;;
		esac
		echo "insmod /modules/$module" >>"$root/modules/load"
	done
	cat >"$root/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root TERM=dumb LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mkdir -p /run/netns /dev/shm
ln -sf /proc/self/fd /dev/fd
dmesg -n 1
sh /modules/load
ip link set lo up
cd /root
export TESTS='$tests' TEST_TIMEOUT=900 TEST_TAIL=${GUEST_TAIL:-80} PICKET_SLOW=$slow
bash tests/check/suite.sh build bpf e2e
echo "guest-status \$?"
poweroff -f
INIT
	chmod +x "$root/init"
	(cd "$root" && find . -print0 | cpio -0 -o -H newc --quiet | gzip -1) >"$2"
	rm -rf "$root"
}

# one VERSION: boots it and reads what it says.
one() {
	local version=$1 dir=$kernels/$1 start log=$kernels/$1.log release p f s
	fetch "$version"
	release=$(cat "$dir/release")
	echo "# $release"
	[ -e "$dir/vmlinux" ] || unpack_kernel "$dir/boot/vmlinuz-$release" "$dir/vmlinux"
	if bash tests/check/kernel-fields.sh "$dir/vmlinux" >"$dir/fields" 2>&1; then
		echo "ok    $version: fields of kernel.h: $(tail -n 1 "$dir/fields")"
		passed=$((passed + 1))
	else
		echo "FAIL  $version: fields of kernel.h"
		sed 's/^/      | /' "$dir/fields"
		failed=$((failed + 1))
	fi
	initramfs "$version" "$kernels/$version.cpio.gz"
	start=$(date +%s)
	timeout -k 10 "$limit" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 4096 \
		-nodefaults -no-user-config -display none -serial stdio -no-reboot \
		-kernel "$dir/boot/vmlinuz-$release" -initrd "$kernels/$version.cpio.gz" \
		-append "console=ttyS0 quiet panic=-1 oops=panic" </dev/null 2>&1 |
		tr -d '\r' | tee "$log" | sed -u "s/^/$version: /" || true
	echo "# $release: $(($(date +%s) - start)) s in the guest"
	if ! grep -q '^guest-status' "$log"; then
		echo "FAIL  $version: the guest did not come to its end (see $log)"
		failed=$((failed + 1))
		return 0
	fi
	read -r p f s < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' \
		"$log" | tail -n 1)
	if [ "${f:-0}" -eq 0 ] && ! grep -q '^guest-status 0' "$log"; then
		f=1
	fi
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${s:-0}))
}

mkdir -p "$kernels"
[ $# -gt 0 ] || mapfile -t all < <(awk '/^[0-9]/ { print $1 }' tests/kernels.txt)
[ $# -gt 0 ] || set -- "${all[@]}"
for version; do
	one "$version"
done
echo "$passed passed, $failed failed, $skipped skipped"
if [ "$failed" -gt 0 ] || [ "$passed" -eq 0 ]; then exit 1; fi
