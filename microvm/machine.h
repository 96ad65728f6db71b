/*
 * machine.h - a virtual machine of /dev/kvm: memory, vCPUs, its ports and devices.
 *
 *	TRY(machine_init(&m, kvm, size, -1, cpus, e));
 *	machine_add(&m, &device, &kind); ...      each gets a PCI slot
 *	TRY(machine_boot(&m, &boot, e));
 *	TRY(machine_start(&m, e));                a thread for each vCPU
 *	machine_go(&m);
 *	... m.ended becomes readable; machine_end() says why
 *
 * Nothing is given back: the machine ends with its process.
 */
#ifndef HULL_MICROVM_MACHINE_H
#define HULL_MICROVM_MACHINE_H

#include <pthread.h>

#include "base/err.h"
#include "microvm/boot.h"
#include "microvm/memory.h"
#include "microvm/serial.h"
#include "microvm/virtio.h"

enum { MACHINE_CPUS_MAX = 16, MACHINE_DEVICES = 10, MACHINE_MEMORY_MIN = 96 * 1024 * 1024 };

enum machine_end {
	MACHINE_RUNS,
	MACHINE_RESET,  /* the guest asked for it: a panic, or its init's end */
	MACHINE_FAILED, /* KVM could not go on; the message is in `why` */
};

struct machine {
	int kvm, vm, ended;
	struct memory memory;
	unsigned cpus;
	int vcpu[MACHINE_CPUS_MAX];
	int run_size;
	struct virtio *devices[MACHINE_DEVICES];
	size_t n_devices;
	pthread_mutex_t lock; /* ports, and what follows */
	uint32_t pci_address;
	struct serial serial;
	enum machine_end end;
	struct err why;
};

/* `file` is the memory of a snapshot (snapshot.h), -1: it has none yet. */
int machine_init(struct machine *m, int kvm, uint64_t memory, int file, unsigned cpus,
		 struct err *e) MUST_CHECK;
int machine_add(struct machine *m, struct virtio *v, const struct virtio_kind *kind, struct err *e)
	MUST_CHECK;
int machine_boot(struct machine *m, const struct boot *b, struct err *e) MUST_CHECK;
/* The threads wait; so there are none to be made when the process gives up what it can. */
int machine_start(struct machine *m, struct err *e) MUST_CHECK;
void machine_go(struct machine *m);
enum machine_end machine_end(struct machine *m, struct err *ret_why);

#endif
