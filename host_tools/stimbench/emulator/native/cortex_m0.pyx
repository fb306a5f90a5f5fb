# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""A CPU core in C for the emulated RP2040, in place of rp2040py's own.

The core keeps rp2040py's object, whose fields every peripheral knows, and works on a copy of them while it
runs (cortex_m0.c). An access that leaves C writes the copy back first and reads it again afterwards, since
the peripheral may raise an interrupt, schedule an alarm, or reset the chip.
"""

from libc.math cimport ceil
from libc.stdint cimport UINT32_MAX, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from cpython.exc cimport PyErr_CheckSignals
from rp2040py.native._cortex_m0_core cimport CortexM0Core
from rp2040py.native._rp2040 cimport RP2040
from rp2040py.native._simulation_clock cimport SimulationClock

cdef extern from "cortex_m0.h":
    enum: XIP_SETS
    enum: WARN_SPECIAL

    ctypedef struct xip_set:
        uint32_t tag[2]
        uint32_t older

    ctypedef struct cortex_m0:
        uint32_t *r
        uint32_t n, z, c, v
        uint32_t primask
        uint32_t banked_sp, sp_sel, handler_mode, n_priv, ipsr
        uint32_t vtor, shpr2, shpr3
        uint32_t pending, enabled
        uint32_t priority[4]
        uint32_t pending_nmi, pending_pendsv, pending_svcall, pending_systick
        uint32_t irq_updated, event, waiting, wait_for_event
        uint64_t cycles, limit
        uint32_t failed, follow_reference
        uint8_t *ram
        uint8_t *flash
        uint8_t *dpram
        uint32_t *bootrom
        double now_ns, epoch_ns
        uint32_t dividend, divisor, quotient, remainder, div_signed, div_stale, div_csr
        uint32_t xip_on, xip_enabled, miss_cycles, word_cycles, entry_cycles
        uint32_t xip_hits, xip_accesses, fetched_word
        uint32_t *misses_of_line
        uint32_t thread_lowest, entered_at, handlers_most
        xip_set xip[1024]
        void *owner
        uint32_t (*bus_read)(cortex_m0 *m, uint32_t address) noexcept
        void (*bus_write)(cortex_m0 *m, uint32_t address, uint32_t value, int size) noexcept
        void (*bus_break)(cortex_m0 *m, uint32_t code) noexcept
        void (*bus_warn)(cortex_m0 *m, int what, uint32_t address, uint32_t opcode) noexcept

    void m0_init()
    void m0_run(cortex_m0 *m)
    int m0_take_exception(cortex_m0 *m)
    uint32_t m0_divider_read(cortex_m0 *m, uint32_t offset)
    void m0_divider_write(cortex_m0 *m, uint32_t offset, uint32_t value)
    void m0_xip_flush(cortex_m0 *m)
    void m0_xip_invalidate(cortex_m0 *m, uint32_t address)

cdef double NS_PER_CYCLE = 8.0
cdef uint64_t LONGEST_CYCLES = 1000000  # then signals are looked at: 8 ms of emulated time
cdef uint32_t FLASH_LINES = 1 << 21

m0_init()


cdef class NativeCore(CortexM0Core):
    """rp2040py's core, run in C.

    Args:
        rp2040: the chip; its `core` becomes this one.
        clock: the chip's clock.
    """

    cdef cortex_m0 m
    cdef SimulationClock _clock
    cdef bint _inside
    cdef bint _stepping
    cdef uint64_t _owed
    cdef public bint stop
    """Ends the present run after the instruction under way."""
    cdef object _error

    def __init__(self, RP2040 rp2040):
        CortexM0Core.__init__(self, rp2040)
        memset(&self.m, 0, sizeof(self.m))
        self._clock = rp2040.clock
        self.m.r = &self.registers[0]
        self.m.ram = &rp2040._sram[0]
        self.m.flash = &rp2040._flash[0]
        self.m.dpram = &rp2040._usb_dpram[0]
        self.m.bootrom = &rp2040._bootrom[0]
        self.m.divisor = 1
        self.m.xip_enabled = True
        self.m.fetched_word = UINT32_MAX
        self.watch_stack()
        self.m.owner = <void *>self
        self.m.bus_read = _bus_read
        self.m.bus_write = _bus_write
        self.m.bus_break = _bus_break
        self.m.bus_warn = _bus_warn

    def __dealloc__(self):
        free(self.m.misses_of_line)

    cdef void enter(self) noexcept:
        """Read what others may have changed."""
        cdef cortex_m0 *m = &self.m
        cdef int i
        m.n, m.z, m.c, m.v = self.n, self.z, self.c, self.v
        m.primask = self.pm
        m.banked_sp = self.banked_sp
        m.sp_sel = self.sp_sel
        m.handler_mode = self.current_mode
        m.n_priv = self.n_priv
        m.ipsr = self.ipsr
        m.vtor, m.shpr2, m.shpr3 = self.vtor, self.shpr2, self.shpr3
        m.pending = self.pending_interrupts
        m.enabled = self.enabled_interrupts
        for i in range(4):
            m.priority[i] = self.interrupt_priorities[i]
        m.pending_nmi = self.pending_nmi
        m.pending_pendsv = self.pending_pend_sv
        m.pending_svcall = self.pending_svcall
        m.pending_systick = self.pending_systick
        m.irq_updated = self.interrupts_updated
        m.event = self.event_registered
        m.waiting = self.waiting
        m.now_ns = self._clock._nanos_counter
        m.limit = self.cycles_to_alarm()
        self._inside = True

    cdef void leave(self) noexcept:
        """Write back what others may read; `cycles` stays, for whoever moves the clock."""
        cdef cortex_m0 *m = &self.m
        self._inside = False
        self.n, self.z, self.c, self.v = m.n, m.z, m.c, m.v
        self.pm = m.primask
        self.banked_sp = m.banked_sp
        self.sp_sel = m.sp_sel
        self.current_mode = m.handler_mode
        self.n_priv = m.n_priv
        self.ipsr = m.ipsr
        self.pending_interrupts = m.pending
        self.pending_nmi = m.pending_nmi
        self.pending_pend_sv = m.pending_pendsv
        self.pending_svcall = m.pending_svcall
        self.pending_systick = m.pending_systick
        self.interrupts_updated = m.irq_updated
        self.event_registered = m.event
        self.waiting = m.waiting

    cdef void leave_for_bus(self) noexcept:
        """Before an access: time stands where the instruction began. No alarm is due before that."""
        self.leave()
        self.cycles += self.m.cycles
        self._clock._nanos_counter += NS_PER_CYCLE * self.m.cycles
        self.m.cycles = 0

    cdef uint64_t cycles_to_alarm(self) noexcept:
        cdef double left
        if self.stop or self._stepping:
            return 0
        if self._clock._next_alarm is None:
            return LONGEST_CYCLES
        left = ceil((self._clock._next_alarm.nanos - self._clock._nanos_counter) / NS_PER_CYCLE)
        if left > LONGEST_CYCLES:
            return LONGEST_CYCLES
        return <uint64_t>left if left > 0 else 0

    cpdef run(self):
        """Run until `stop` is set: by an alarm, or by whatever the firmware reached.

        Raises:
            Exception: what a peripheral or a part raised; KeyboardInterrupt on Ctrl-C.
        """
        cdef SimulationClock clock = self._clock
        cdef uint64_t cycles
        while not self.stop:
            if self.waiting:
                if self.interrupts_updated and not self.m.follow_reference:  # SysTick, or pending before WFI
                    self.wake()
                    if not self.waiting:
                        continue
                clock.tick(clock._next_alarm.nanos - clock._nanos_counter if clock._next_alarm is not None else 0)
                PyErr_CheckSignals()
                continue
            self.enter()
            self.m.cycles, self._owed = self._owed, 0
            if self.m.limit == 0:  # an alarm at this very instant
                self.m.limit = 1
            m0_run(&self.m)
            self.leave()
            cycles = self.m.cycles
            self.m.cycles = 0
            self.cycles += cycles
            if self.m.failed:
                self.raise_failure()
            clock.tick(NS_PER_CYCLE * cycles)
            PyErr_CheckSignals()

    cpdef int execute_instruction(self) except -1:
        """One instruction, and the interrupt before it if one is due; the clock stands.

        Returns:
            Its cycles.
        """
        cdef int cycles
        self._stepping = True
        self.enter()
        self.m.limit = 1
        m0_run(&self.m)
        self.leave()
        self._stepping = False
        cycles = <int>self.m.cycles
        self.m.cycles = 0
        self.cycles += cycles
        if self.m.failed:
            self.raise_failure()
        return cycles

    cdef raise_failure(self):
        error, self._error = self._error, None
        self.m.failed = 0
        raise error

    cpdef set_interrupt(self, irq, value):
        """A peripheral's request line; wakes a waiting CPU."""
        cdef uint32_t bit = <uint32_t>1 << <int>irq
        if not value:
            self.pending_interrupts &= ~bit
        elif not self.pending_interrupts & bit:
            self.pending_interrupts |= bit
            self.interrupts_updated = True
            if self.waiting:
                self.wake()

    cdef wake(self):
        cdef uint64_t before
        if self._inside:
            raise RuntimeError("the core was asked to wake while it ran")
        before = self.m.cycles
        self.enter()
        self.m.cycles = 0
        if m0_take_exception(&self.m):
            self.m.waiting = 0
        self._owed += self.m.cycles
        self.m.cycles = before
        self.leave()
        if self.m.failed:
            self.raise_failure()

    # ---- What the glue's neighbours set and read ----

    @property
    def follow_reference(self):
        """Whether to depart from the manual where rp2040py's core does, for comparisons."""
        return bool(self.m.follow_reference)

    @follow_reference.setter
    def follow_reference(self, bint value):
        self.m.follow_reference = value

    @property
    def epoch_ns(self):
        """The time at which the timer's raw count was 0."""
        return self.m.epoch_ns

    @epoch_ns.setter
    def epoch_ns(self, double value):
        self.m.epoch_ns = value

    def divider_read(self, uint32_t offset):
        """A divider register of SIO, 0x60 to 0x78, as a debug probe or the DMA reads it."""
        return m0_divider_read(&self.m, offset)

    def divider_write(self, uint32_t offset, uint32_t value):
        """Write a divider register."""
        m0_divider_write(&self.m, offset, value)

    def divider_reset(self):
        """The divider to its power-on state."""
        self.m.dividend, self.m.divisor = 0, 1
        self.m.quotient = self.m.remainder = self.m.div_signed = self.m.div_stale = self.m.div_csr = 0

    def count_misses(self, uint32_t line_cycles, uint32_t word_cycles, uint32_t entry_cycles):
        """Let the flash cost time.

        Args:
            line_cycles: CPU cycles that a miss of the cache takes (8 bytes).
            word_cycles: those of a word past the cache.
            entry_cycles: those from an interrupt to its handler's first instruction.
        """
        self.m.xip_on = True
        self.m.miss_cycles, self.m.word_cycles, self.m.entry_cycles = line_cycles, word_cycles, entry_cycles

    def xip_enable(self, bint enabled):
        """CTRL.EN of the cache."""
        self.m.xip_enabled = enabled
        self.m.fetched_word = UINT32_MAX

    def xip_flush(self):
        """Empty the cache."""
        m0_xip_flush(&self.m)

    @property
    def xip_hits(self):
        """CTR_HIT: accesses served by the cache; stops at 2**32 - 1."""
        return self.m.xip_hits

    @xip_hits.setter
    def xip_hits(self, uint32_t value):
        self.m.xip_hits = value

    @property
    def xip_accesses(self):
        """CTR_ACC: accesses to the flash's window; stops at 2**32 - 1."""
        return self.m.xip_accesses

    @xip_accesses.setter
    def xip_accesses(self, uint32_t value):
        self.m.xip_accesses = value

    def watch_stack(self):
        """Let `stack_used` begin anew."""
        self.m.thread_lowest, self.m.handlers_most = UINT32_MAX, 0

    @property
    def stack_used(self):
        """How deep the stack was since `watch_stack()`, or since the start.

        Returns:
            The lowest stack pointer outside handlers (0xffffffff: nothing was pushed), and the most bytes that
            a handler, and what interrupted it, have put below the one that they came upon. A handler that
            comes upon the thread at its lowest reaches the first less the second.
        """
        return self.m.thread_lowest, self.m.handlers_most

    def profile_misses(self, bint on):
        """Count misses a line of flash from now on, or no more."""
        free(self.m.misses_of_line)
        self.m.misses_of_line = <uint32_t *>calloc(FLASH_LINES, 4) if on else NULL

    @property
    def misses(self):
        """Misses by the flash offset of their 8-byte line, since `profile_misses(True)`."""
        cdef uint32_t i
        if self.m.misses_of_line == NULL:
            return {}
        return {i * 8: self.m.misses_of_line[i] for i in range(FLASH_LINES) if self.m.misses_of_line[i]}


cdef void _failed(cortex_m0 *m, error) noexcept:
    core = <NativeCore>m.owner
    if not m.failed:
        core._error = error
    m.failed = 1


cdef uint32_t _bus_read(cortex_m0 *m, uint32_t address) noexcept:
    core = <NativeCore>m.owner
    cdef uint32_t value = 0
    core.leave_for_bus()
    try:
        value = core.rp2040.read_uint32(address)
    except BaseException as error:
        _failed(m, error)
    core.enter()
    return value


cdef void _bus_write(cortex_m0 *m, uint32_t address, uint32_t value, int size) noexcept:
    core = <NativeCore>m.owner
    core.leave_for_bus()
    try:
        if m.xip_on and address >> 24 == 0x10:
            m0_xip_invalidate(m, address)
        if size == 4:
            core.rp2040.write_uint32(address, value)
        elif size == 2:
            core.rp2040.write_uint16(address, value & 0xFFFF)
        else:
            core.rp2040.write_uint8(address, value & 0xFF)
    except BaseException as error:
        _failed(m, error)
    core.enter()


cdef void _bus_break(cortex_m0 *m, uint32_t code) noexcept:
    core = <NativeCore>m.owner
    core.leave_for_bus()
    try:
        core.rp2040.on_break(code)
    except BaseException as error:
        _failed(m, error)
    core.enter()


cdef void _bus_warn(cortex_m0 *m, int what, uint32_t address, uint32_t opcode) noexcept:
    core = <NativeCore>m.owner
    try:
        if what == WARN_SPECIAL:
            text = f"no special register {address}"
        else:
            text = f"undefined instruction {opcode:#x} at {address:#x}"
        core.rp2040.logger.warning("CortexM0", text)
    except BaseException as error:
        _failed(m, error)
