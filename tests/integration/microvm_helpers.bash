# microvm_helpers.bash - what a microVM of the tests needs, for files that load helpers before it.
# shellcheck shell=bash

# The VMM starts; it is the one beside the tests' tools, where the build has not been installed.
requires_vmm() {
	[ -w /dev/kvm ] || skip "needs /dev/kvm"
	compgen -G '/boot/vmlinuz-*' >/dev/null || compgen -G '/usr/lib/hull/vmlinuz*' >/dev/null ||
		skip "needs a kernel for guests in /boot"
	HULL_LIBEXEC=${HULL_LIBEXEC:-$SOURCE/build/tests/tools}
	[ -x "$HULL_LIBEXEC/hull-vmm" ] || skip "needs hull-vmm, which sanitizer builds do not make"
	export HULL_LIBEXEC
}

# ... and a kernel boots in it.
requires_guest() {
	# On a software /dev/kvm, without VMX or SVM beneath, no stock kernel gets past its self-tests.
	grep -Eqw 'vmx|svm' /proc/cpuinfo || skip "needs a processor with VMX or SVM: no kernel boots on this /dev/kvm"
	requires_vmm
}
