#include "microvm/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/log.h"
#include "microvm/acpi.h"
#include "microvm/cpu.h"
#include "microvm/jail.h"
#include "microvm/pci.h"
#include "microvm/snapshot.h"

enum {
	TSS_ADDRESS = 0xfffbd000U,
	IDENTITY_ADDRESS = 0xfffbc000U,
	BARS = 0xd0000000U,
	COM1_IRQ = 4,
	I8042_COMMAND = 0x64,
	I8042_RESET = 0xfe,
};

static void stop(struct machine *m, enum machine_end end, const struct err *why)
{
	if (m->end == MACHINE_RUNS) {
		m->end = end;
		if (why)
			m->why = *why;
	}
	eventfd_write(m->ended, 1);
}

enum machine_end machine_end(struct machine *m, struct err *ret_why)
{
	enum machine_end end;

	pthread_mutex_lock(&m->lock);
	end = m->end;
	*ret_why = m->why;
	pthread_mutex_unlock(&m->lock);
	return end;
}

static void set_serial_line(void *ctx, bool high)
{
	struct machine *m = ctx;
	struct kvm_irq_level level = { .irq = COM1_IRQ, .level = high };

	if (ioctl(m->vm, KVM_IRQ_LINE, &level) < 0)
		log_debug("KVM_IRQ_LINE: %s", err_text(errno));
}

static void send_msi(void *ctx, const struct virtio_msix *x)
{
	struct machine *m = ctx;
	struct kvm_msi msi = { .address_lo = x->low, .address_hi = x->high, .data = x->data };

	if (ioctl(m->vm, KVM_SIGNAL_MSI, &msi) < 0)
		log_debug("KVM_SIGNAL_MSI: %s", err_text(errno));
}

static int add_memory(struct machine *m, unsigned slot, uint64_t address, uint64_t offset,
		      uint64_t size, struct err *e)
{
	struct kvm_userspace_memory_region region = { .slot = slot,
						      .guest_phys_addr = address,
						      .memory_size = size,
						      .userspace_addr =
							      (uintptr_t)(m->memory.at + offset) };

	if (size && ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return err_sys(e, "give the machine its memory");
	return 0;
}

static int new_memory(uint64_t size, struct memory *ret, struct err *e)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return err_sys(e, "reserve %llu bytes for the machine", (unsigned long long)size);
	madvise(at, size, MADV_HUGEPAGE);
	*ret = (struct memory){ at, size };
	return 0;
}

static int make_memory(struct machine *m, uint64_t size, int file, struct err *e)
{
	uint64_t low;

	if (file >= 0)
		TRY(memory_load(file, size, &m->memory, e));
	else
		TRY(new_memory(size, &m->memory, e));
	madvise(m->memory.at, size, MADV_DONTDUMP);
	low = memory_low(&m->memory);
	TRY(add_memory(m, 0, 0, 0, low, e));
	return add_memory(m, 1, MEMORY_HIGH, low, size - low, e);
}

int machine_init(struct machine *m, int kvm, uint64_t memory, int file, unsigned cpus,
		 struct err *e)
{
	uint64_t identity = IDENTITY_ADDRESS;

	*m = (struct machine){ .kvm = kvm, .cpus = cpus };
	pthread_mutex_init(&m->lock, NULL);
	m->serial.set_line = set_serial_line;
	m->serial.ctx = m;
	m->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->ended < 0)
		return err_sys(e, "make an event descriptor");
	m->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (m->vm < 0)
		return err_sys(e, "make a virtual machine by /dev/kvm");
	if (ioctl(m->vm, KVM_SET_TSS_ADDR, (unsigned long)TSS_ADDRESS) < 0 ||
	    ioctl(m->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0)
		return err_sys(e, "set KVM's own pages");
	if (ioctl(m->vm, KVM_CREATE_IRQCHIP, 0) < 0)
		return err_sys(e, "make the machine's interrupt controllers");
	m->run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (m->run_size < 0)
		return err_sys(e, "ask KVM for the size of a vCPU");
	return make_memory(m, memory, file, e);
}

int machine_add(struct machine *m, struct virtio *v, const struct virtio_kind *kind, struct err *e)
{
	virtio_init(v, kind, &m->memory, BARS + (uint32_t)m->n_devices * VIRTIO_BAR_SIZE);
	v->interrupt = send_msi;
	v->interrupt_ctx = m;
	v->wake = eventfd(0, EFD_CLOEXEC);
	if (v->wake < 0)
		return err_sys(e, "make an event descriptor for virtio-%s", kind->name);
	m->devices[m->n_devices++] = v;
	return 0;
}

int machine_boot(struct machine *m, const struct boot *b, struct err *e)
{
	uint64_t entry;

	TRY(boot_load(b, &m->memory, &entry, e));
	for (unsigned i = 0; i < m->cpus; i++) {
		m->vcpu[i] = ioctl(m->vm, KVM_CREATE_VCPU, (unsigned long)i);
		if (m->vcpu[i] < 0)
			return err_sys(e, "make vCPU %u", i);
		TRY(cpu_set_features(m->kvm, m->vcpu[i], i, m->cpus, e));
		if (i == 0) /* the others wait for the first */
			TRY(cpu_set_start(m->vcpu[i], entry, e));
	}
	return 0;
}

static void port_write(struct machine *m, uint16_t port, const uint8_t *bytes, size_t size)
{
	if (port >= SERIAL_PORT && port < SERIAL_PORT + SERIAL_PORTS && size == 1)
		serial_write(&m->serial, port - SERIAL_PORT, bytes[0]);
	else if (port >= PCI_PORT && port < PCI_PORT + PCI_PORTS)
		pci_port_write(m, port - PCI_PORT, bytes, size);
	else if ((port == I8042_COMMAND && bytes[0] == I8042_RESET) ||
		 (port == ACPI_RESET_PORT && bytes[0] == ACPI_RESET_VALUE))
		stop(m, MACHINE_RESET, NULL);
}

static void port_read(struct machine *m, uint16_t port, uint8_t *bytes, size_t size)
{
	memset(bytes, port == I8042_COMMAND ? 0 : 0xff, size);
	if (port >= SERIAL_PORT && port < SERIAL_PORT + SERIAL_PORTS && size == 1)
		serial_read(&m->serial, port - SERIAL_PORT, bytes);
	else if (port >= PCI_PORT && port < PCI_PORT + PCI_PORTS)
		pci_port_read(m, port - PCI_PORT, bytes, size);
}

static void do_ports(struct machine *m, struct kvm_run *run)
{
	uint8_t *bytes = (uint8_t *)run + run->io.data_offset;

	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < run->io.count; i++, bytes += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			port_write(m, run->io.port, bytes, run->io.size);
		else
			port_read(m, run->io.port, bytes, run->io.size);
	}
	pthread_mutex_unlock(&m->lock);
}

static void do_memory(struct machine *m, struct kvm_run *run)
{
	uint64_t address = run->mmio.phys_addr;
	uint32_t size = run->mmio.len;

	for (size_t i = 0; i < m->n_devices; i++) {
		uint32_t bar = __atomic_load_n(&m->devices[i]->bar, __ATOMIC_RELAXED);

		if (address < bar || address - bar > VIRTIO_BAR_SIZE - size ||
		    virtio_is_absent(m->devices[i]))
			continue;
		if (run->mmio.is_write)
			virtio_bar_write(m->devices[i], (uint32_t)(address - bar), run->mmio.data,
					 size);
		else
			virtio_bar_read(m->devices[i], (uint32_t)(address - bar), run->mmio.data,
					size);
		return;
	}
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
}

/* True: on with it. */
static bool do_exit(struct machine *m, struct kvm_run *run)
{
	struct err why = { 0 };

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		do_ports(m, run);
		return true;
	case KVM_EXIT_MMIO:
		do_memory(m, run);
		return true;
	case KVM_EXIT_INTR:
		return true;
	case KVM_EXIT_SHUTDOWN:
		err_set(&why, EFAULT, "the guest's processor shut down (a triple fault)");
		break;
	case KVM_EXIT_FAIL_ENTRY:
		err_set(&why, EINVAL, "KVM could not enter the guest (reason 0x%llx)",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		err_set(&why, EINVAL,
			"KVM gave up (internal error %u): this /dev/kvm can't run "
			"a stock kernel",
			run->internal.suberror);
		break;
	default:
		err_set(&why, EINVAL, "KVM returned for an unknown reason (%u)", run->exit_reason);
	}
	pthread_mutex_lock(&m->lock);
	stop(m, MACHINE_FAILED, &why);
	pthread_mutex_unlock(&m->lock);
	return false;
}

struct vcpu_thread {
	struct machine *machine;
	int fd;
};

static void *run_vcpu(void *arg)
{
	struct vcpu_thread t = *(struct vcpu_thread *)arg;
	struct err why = { 0 };
	struct kvm_run *run;

	free(arg);
	jail_close_or_end(JAIL_VCPU);
	pthread_mutex_lock(&t.machine->lock); /* until machine_go() */
	pthread_mutex_unlock(&t.machine->lock);
	run = mmap(NULL, (size_t)t.machine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, t.fd, 0);
	if (run == MAP_FAILED) {
		err_sys(&why, "map a vCPU");
	} else {
		for (;;) {
			if (ioctl(t.fd, KVM_RUN, 0) < 0) {
				if (errno == EINTR || errno == EAGAIN)
					continue;
				err_sys(&why, "run a vCPU");
				break;
			}
			if (!do_exit(t.machine, run))
				return NULL;
		}
	}
	pthread_mutex_lock(&t.machine->lock);
	stop(t.machine, MACHINE_FAILED, &why);
	pthread_mutex_unlock(&t.machine->lock);
	return NULL;
}

void machine_go(struct machine *m)
{
	pthread_mutex_unlock(&m->lock);
}

int machine_start(struct machine *m, struct err *e)
{
	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < m->cpus; i++) {
		struct vcpu_thread *t = malloc(sizeof(*t));
		pthread_t thread;
		int r;

		if (!t)
			return err_set(e, ENOMEM, "start vCPU %u", i);
		*t = (struct vcpu_thread){ m, m->vcpu[i] };
		r = pthread_create(&thread, NULL, run_vcpu, t);
		if (r)
			return err_neg(e, -r, "start vCPU %u", i);
	}
	return 0;
}
