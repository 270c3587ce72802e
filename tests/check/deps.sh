#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the packages that are missing, by the names Debian 12, 13 and Ubuntu 22.04, 24.04 give
# them. Usage: deps.sh build|test|kernels... ; "test" contains "build". Says what it installs, does
# nothing when all is there, and never fails silently.
set -euo pipefail

build=(gcc make pkg-config clang llvm libbpf-dev libelf-dev zlib1g-dev libzstd-dev libnl-3-dev
	libnl-route-3-dev libevent-dev libcurl4-openssl-dev libjansson-dev libyaml-dev
	libncurses-dev libssl-dev libseccomp-dev libsqlite3-dev libpcap-dev libxxhash-dev libidn2-dev libpsl-dev
	libvectorscan-dev libpcre2-dev libnats-dev libpq-dev scdoc libcap2-bin
	iproute2)
check=(libcmocka-dev bats perl python3 python3-yaml clang-format clang-tidy dwarves mandoc jq
	curl shellcheck tcpdump tshark netcat-openbsd bind9-dnsutils openssh-client openssh-server socat
	dnsmasq-base nghttp2-server sqlite3 procps util-linux ethtool tmux iputils-ping binutils file nats-server
	postgresql)
kernels=(qemu-system-x86 busybox-static cpio kmod xz-utils zstd lz4)
bench=(softflowd tcpdump iperf3 bc nftables ipset iptables)

distribution() { # prints "id version", as in "debian 12"
	local ID=unknown VERSION_ID=''
	# shellcheck disable=SC1091
	[ -r /etc/os-release ] && . /etc/os-release
	echo "$ID ${VERSION_ID:-}"
}

case $(distribution) in
"debian 12")
	# clients and servers of QUIC that are packaged there
	check+=(ngtcp2-client ngtcp2-server)
	;;
esac

case $(distribution) in
"debian 12" | "debian 13")
	build+=(bpftool libloc-dev libloc-database)
	check+=(libclang-rt-dev)
	bench+=(xdp-tools)
	;;
"ubuntu 24.04")
	build+=(linux-tools-common linux-tools-generic libloc-dev libloc-database)
	check+=(libclang-rt-dev)
	bench+=(xdp-tools)
	;;
"ubuntu 22.04")
	build+=(linux-tools-common linux-tools-generic)
	;;
*)
	echo "deps: $(distribution): packages are known for Debian 12, 13 and Ubuntu 22.04, 24.04;" \
		"going on with what is installed" >&2
	exit 0
	;;
esac

wanted=("${build[@]}")
for set in "${@:-test}"; do
	case $set in
	build) ;;
	test) wanted+=("${check[@]}") ;;
	kernels) wanted+=("${kernels[@]}") ;;
	bench) wanted+=("${bench[@]}") ;;
	*)
		echo "deps: no such set: $set (build, test, kernels, bench)" >&2
		exit 2
		;;
	esac
done

declare -A have
while IFS='|' read -r status names; do
	[ "$status" = "install ok installed" ] || continue
	for name in ${names//,/ }; do
		have[$name]=1
	done
done < <(dpkg-query -W -f '${Status}|${Package},${Provides}\n' 2>/dev/null | sed 's/ *([^)]*)//g')

missing=()
for package in "${wanted[@]}"; do
	[ -n "${have[$package]:-}" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "deps: installing ${missing[*]}"
if [ "$(id -u)" != 0 ]; then
	echo "deps: needs root: sudo apt-get install ${missing[*]}" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
	apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" \
		>"$log" 2>&1 </dev/null
}
# The package lists may be missing (fresh container) or old: one update, then once more.
if ! install; then
	apt-get -o DPkg::Lock::Timeout=300 update >>"$log" 2>&1 </dev/null || true
	if ! install; then
		tail -n 30 "$log" >&2
		echo "deps: apt-get could not install: ${missing[*]}" >&2
		exit 1
	fi
fi
