/* Exceptions and special registers. Part of cortex_m0.c, for the compiler to see all of it at once. */
#ifndef STIMBENCH_CORTEX_M0_EXCEPTIONS_H
#define STIMBENCH_CORTEX_M0_EXCEPTIONS_H

#include "cortex_m0_memory.h"

#define SP r[13]
#define LR r[14]

enum { EXC_NMI = 2, EXC_HARDFAULT = 3, EXC_SVCALL = 11, EXC_PENDSV = 14, EXC_SYSTICK = 15, LOWEST_PRIORITY = 4 };
enum { LAST_HARDWARE_IRQ = 25 };

/* ---- Exceptions (DDI 0419 B1.5) ---- */

static void switch_stack(cortex_m0 *m, uint32_t stack) {
    if (m->sp_sel != stack) {
        uint32_t sp = m->SP;
        m->SP = m->banked_sp;
        m->banked_sp = sp;
        m->sp_sel = stack;
    }
}

static int priority_of(const cortex_m0 *m, uint32_t number) {
    switch (number) {
    case 1: return -3;
    case EXC_NMI: return -2;
    case EXC_HARDFAULT: return -1;
    case EXC_SVCALL: return m->shpr2 >> 30;
    case EXC_PENDSV: return m->shpr3 >> 22 & 3;
    case EXC_SYSTICK: return m->shpr3 >> 30;
    default: break;
    }
    if (number >= 16)
        for (int priority = 0; priority < 4; priority++)
            if (m->priority[priority] >> ((number - 16) & 31) & 1) return priority;
    return LOWEST_PRIORITY;
}

static uint32_t apsr(const cortex_m0 *m) {
    return (m->n ? 1u << 31 : 0) | (m->z ? 1u << 30 : 0) | (m->c ? 1u << 29 : 0) | (m->v ? 1u << 28 : 0);
}

static void set_apsr(cortex_m0 *m, uint32_t value) {
    m->n = value >> 31;
    m->z = value >> 30 & 1;
    m->c = value >> 29 & 1;
    m->v = value >> 28 & 1;
}

/* How deep the stack is. For PUSH and SUB SP; what moves it by a register calls one that pushes. */
static inline void note_stack(cortex_m0 *m) {
    uint32_t sp = m->r[13];
    if (!m->handler_mode) {
        if (sp < m->thread_lowest) m->thread_lowest = sp;
    } else if (m->entered_at - sp > m->handlers_most) {
        m->handlers_most = m->entered_at - sp;
    }
}

static void exception_entry(cortex_m0 *m, uint32_t number) {
    uint32_t *r = m->r;
    note_stack(m);
    if (!m->handler_mode) m->entered_at = m->r[13];
    uint32_t on_main = m->sp_sel == 0 || m->handler_mode;
    uint32_t *sp = (on_main ? m->sp_sel == 0 : m->sp_sel == 1) ? &r[13] : &m->banked_sp;
    uint32_t aligned = *sp >> 2 & 1;
    uint32_t frame = (*sp - 0x20) & ~4u;
    if (sp == &r[13]) frame &= ~3u;
    *sp = frame;
    const uint32_t saved[8] = {r[0], r[1], r[2], r[3], r[12], r[14], r[15] & ~1u,
                               apsr(m) | m->ipsr | 1u << 24 | aligned << 9};
    for (int i = 0; i < 8; i++) write_word(m, frame + 4 * i, saved[i]);
    r[14] = m->handler_mode ? 0xFFFFFFF1u : m->sp_sel ? 0xFFFFFFFDu : 0xFFFFFFF9u;
    m->handler_mode = 1;
    m->ipsr = number;
    switch_stack(m, 0);
    m->event = 1;
    uint32_t stall = m->entry_cycles;
    uint32_t target = read_word(m, m->vtor + 4 * number, &stall);
    m->r[15] = m->follow_reference ? target : target & ~1u;
    m->cycles += stall;
}

static void exception_return(cortex_m0 *m, uint32_t code) {
    uint32_t *r = m->r;
    uint32_t stall = 0;
    uint32_t kind = code & 0xF;
    uint32_t *main_sp = m->sp_sel ? &m->banked_sp : &r[13];
    uint32_t frame = *main_sp;
    if (kind == 0xD) frame = m->sp_sel ? r[13] : m->banked_sp;
    if (kind == 1 || kind == 9 || kind == 0xD) {
        m->handler_mode = kind == 1;
        switch_stack(m, kind == 0xD);
    }
    for (int i = 0; i < 4; i++) r[i] = read_word(m, frame + 4 * i, &stall);
    r[12] = read_word(m, frame + 0x10, &stall);
    r[14] = read_word(m, frame + 0x14, &stall);
    r[15] = read_word(m, frame + 0x18, &stall);
    uint32_t psr = read_word(m, frame + 0x1C, &stall);
    if (kind == 1 || kind == 9 || kind == 0xD) r[13] = ((r[13] + 0x20) | (psr >> 9 & 1) << 2) & ~3u;
    set_apsr(m, psr & 0xF0000000u);
    m->ipsr = !m->handler_mode && m->n_priv ? 0 : psr & 0x3F;
    m->irq_updated = 1;
    m->event = 1;
}

static int pends_at(const cortex_m0 *m, int priority) {
    return (m->pending_svcall && priority == priority_of(m, EXC_SVCALL)) ||
           (m->pending_pendsv && priority == priority_of(m, EXC_PENDSV)) ||
           (m->pending_systick && priority == priority_of(m, EXC_SYSTICK));
}

/* Takes the pending exception of the highest priority, if one may interrupt now; returns whether a CPU that
 * waits goes on. PRIMASK lets WFI end, but not the handler begin (B1.5.17); the reference begins it. */
int m0_take_exception(cortex_m0 *m) {
    int current = priority_of(m, m->ipsr), taken;
    if (m->follow_reference) {
        if (m->waiting) current = m->primask ? current : LOWEST_PRIORITY;
        else if (m->primask && current > 0) current = 0;
        taken = LOWEST_PRIORITY;
    } else {
        taken = m->primask ? 0 : LOWEST_PRIORITY;
        if (current > taken && (!m->waiting || m->wait_for_event)) current = taken;
    }
    uint32_t pending = m->pending & m->enabled;
    if (m->pending_nmi && (m->follow_reference || current > -2)) {
        m->pending_nmi = 0;
        exception_entry(m, EXC_NMI);
        return 1;
    }
    for (int priority = 0; priority < current; priority++) {
        uint32_t level = pending & m->priority[priority];
        if (priority >= taken && (level || pends_at(m, priority))) return 1;
        if (m->pending_svcall && priority == priority_of(m, EXC_SVCALL)) {
            m->pending_svcall = 0;
            exception_entry(m, EXC_SVCALL);
            return 1;
        }
        if (m->pending_pendsv && priority == priority_of(m, EXC_PENDSV)) {
            m->pending_pendsv = 0;
            exception_entry(m, EXC_PENDSV);
            return 1;
        }
        if (m->pending_systick && priority == priority_of(m, EXC_SYSTICK)) {
            m->pending_systick = 0;
            exception_entry(m, EXC_SYSTICK);
            return 1;
        }
        if (level) {
            uint32_t number = (uint32_t)__builtin_ctz(level);
            if (number > LAST_HARDWARE_IRQ) m->pending &= ~(1u << number);
            exception_entry(m, 16 + number);
            return 1;
        }
    }
    m->irq_updated = 0;
    return 0;
}

/* ---- Special registers (B4.2) ---- */

static int privileged(const cortex_m0 *m) { return m->follow_reference || m->handler_mode || !m->n_priv; }

static uint32_t read_special(cortex_m0 *m, uint32_t number) {
    if (number < 8 && !m->follow_reference) /* EPSR reads as zero */
        return (number & 1 ? m->ipsr : 0) | (number & 4 ? 0 : apsr(m));
    switch (number) {
    case 0: return apsr(m);
    case 3: return apsr(m) | m->ipsr | 1u << 24;
    case 5: return m->ipsr;
    case 8:
    case 9: return !privileged(m) ? 0 : m->sp_sel == number - 8 ? m->SP : m->banked_sp;
    case 16: return privileged(m) ? m->primask : 0;
    case 20: return m->sp_sel << 1 | m->n_priv;
    default: m->bus_warn(m, WARN_SPECIAL, number, 0); return 0;
    }
}

static void write_special(cortex_m0 *m, uint32_t number, uint32_t value) {
    if (number < 8 && !m->follow_reference) { /* IPSR and EPSR ignore writes */
        if (!(number & 4)) set_apsr(m, value);
        return;
    }
    if (number >= 8 && !privileged(m)) return;
    switch (number) {
    case 0: set_apsr(m, value); break;
    case 3:
        set_apsr(m, value);
        m->ipsr = value & 0x3F;
        break;
    case 5: m->ipsr = value; break;
    case 8:
    case 9:
        if (m->sp_sel == number - 8) m->SP = value & ~3u;
        else m->banked_sp = m->follow_reference ? value : value & ~3u;
        break;
    case 16:
        m->primask = value & 1;
        m->irq_updated = 1;
        break;
    case 20:
        m->n_priv = value & 1;
        if (!m->handler_mode) switch_stack(m, value >> 1 & 1);
        break;
    default: m->bus_warn(m, WARN_SPECIAL, number, 0);
    }
}

#endif
