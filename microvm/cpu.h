/* cpu.h - what a vCPU is and how it begins: x86-64's part of the machine. */
#ifndef HULL_MICROVM_CPU_H
#define HULL_MICROVM_CPU_H

#include <stdint.h>

#include "base/err.h"

/* The host's features as KVM passes them on, without nested virtualization. */
int cpu_set_features(int kvm, int vcpu, unsigned id, unsigned cpus, struct err *e) MUST_CHECK;

/* Long mode with the tables of boot.h, at `entry`. */
int cpu_set_start(int vcpu, uint64_t entry, struct err *e) MUST_CHECK;

#endif
