/* The interpreter: see cortex_m0.h. */
#include "cortex_m0.h"

#include <string.h>

#define SP r[13]
#define LR r[14]

enum { EXC_NMI = 2, EXC_HARDFAULT = 3, EXC_SVCALL = 11, EXC_PENDSV = 14, EXC_SYSTICK = 15, LOWEST_PRIORITY = 4 };
enum { LAST_HARDWARE_IRQ = 25 };

static uint32_t load32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

static uint32_t load16(const uint8_t *at) {
    uint16_t value;
    memcpy(&value, at, 2);
    return value;
}

static void store32(uint8_t *at, uint32_t value) { memcpy(at, &value, 4); }
static void store16(uint8_t *at, uint32_t value) {
    uint16_t half = (uint16_t)value;
    memcpy(at, &half, 2);
}

/* ---- The flash cache (RP2040 datasheet 2.6.3.1) ---- */

/* One access to the flash's window; returns the cycles that the CPU is held up. */
uint32_t m0_xip_access(cortex_m0 *m, uint32_t address) {
    uint32_t mirror = (address >> 24) & 3;
    uint32_t line = (address & FLASH_MASK) >> 3;
    xip_set *set = &m->xip[line % XIP_SETS];
    m->xip_accesses += m->xip_accesses != UINT32_MAX;
    if (!m->xip_enabled || mirror == 3) return m->word_cycles;
    if (mirror != 2) {
        for (uint32_t way = 0; way < 2; way++) {
            if (set->tag[way] == line + 1) {
                set->older = !way;
                m->xip_hits += m->xip_hits != UINT32_MAX;
                return 0;
            }
        }
    }
    if (m->misses_of_line) m->misses_of_line[line]++;
    if (mirror == 1) return m->word_cycles;
    set->tag[set->older] = line + 1;
    set->older = !set->older;
    return m->miss_cycles;
}

void m0_xip_flush(cortex_m0 *m) {
    memset(m->xip, 0, sizeof m->xip);
    m->fetched_word = UINT32_MAX;
}

/* A write to the caching mirror deletes the line (2.6.3.2). */
void m0_xip_invalidate(cortex_m0 *m, uint32_t address) {
    uint32_t line = (address & FLASH_MASK) >> 3;
    xip_set *set = &m->xip[line % XIP_SETS];
    for (uint32_t way = 0; way < 2; way++)
        if (set->tag[way] == line + 1) {
            set->tag[way] = 0;
            set->older = way;
        }
    m->fetched_word = UINT32_MAX;
}

/* ---- The divider (2.3.1.5): a result is worked out when it is read ---- */

static void divide(cortex_m0 *m) {
    m->div_stale = 0;
    if (m->div_signed) {
        int64_t a = (int32_t)m->dividend, b = (int32_t)m->divisor;
        m->quotient = b ? (uint32_t)(a / b) : (a < 0 ? 1u : UINT32_MAX);
        m->remainder = b ? (uint32_t)(a % b) : m->dividend;
    } else {
        m->quotient = m->divisor ? m->dividend / m->divisor : UINT32_MAX;
        m->remainder = m->divisor ? m->dividend % m->divisor : m->dividend;
    }
}

uint32_t m0_divider_read(cortex_m0 *m, uint32_t offset) {
    switch (offset) {
    case 0x70:
        if (m->div_stale) divide(m);
        m->div_csr = 1;
        return m->quotient;
    case 0x74:
        if (m->div_stale) divide(m);
        return m->remainder;
    case 0x78: return m->div_csr | 1;
    default: return offset & 4 ? m->divisor : m->dividend;
    }
}

void m0_divider_write(cortex_m0 *m, uint32_t offset, uint32_t value) {
    if (offset < 0x70) {
        if (offset & 4) m->divisor = value;
        else m->dividend = value;
        m->div_signed = (offset & 8) != 0;
        m->div_stale = 1;
        m->div_csr = 3;
    } else if (offset < 0x78) { /* an interrupt handler puts the results back */
        if (m->div_stale) divide(m);
        if (offset == 0x70) m->quotient = value;
        else m->remainder = value;
        m->div_csr = 3;
    }
}

/* ---- Memory ---- */

#define IN(address, first, bytes) ((uint32_t)((address) - (first)) < (uint32_t)(bytes))
#define IS_FLASH(address) IN(address, 0x10000000u, 0x04000000u)
#define IS_RAM(address) IN(address, 0x20000000u, RAM_BYTES)
#define IS_DIVIDER(address) IN(address, 0xD0000060u, 0x1C)

static uint32_t access_cycles(uint32_t address, int write) {
    if ((address >> 28) == 0xD) return 0; /* the single-cycle I/O port */
    if ((address >> 28) == 0x4) return write ? 4 : 3;
    return 1;
}

static uint32_t timer_micros(cortex_m0 *m, int high) {
    double micros = (m->now_ns + 8.0 * (double)m->cycles - m->epoch_ns) / 1000;
    uint64_t whole = (uint64_t)micros;
    return (uint32_t)(high ? whole >> 32 : whole);
}

/* A word that is not in RAM and not an aligned one in flash. */
static uint32_t read_elsewhere(cortex_m0 *m, uint32_t address) {
    if (!(address & 3)) {
        if (address < 0x4000) return m->bootrom[address >> 2];
        if (IN(address, 0x50100000u, 0x1000)) return load32(m->dpram + (address - 0x50100000u));
        if (IS_DIVIDER(address)) return m0_divider_read(m, address & 0xFF);
        if (address == 0x40054028u) return timer_micros(m, 0);
        if (address == 0x40054024u) return timer_micros(m, 1);
    }
    return m->bus_read(m, address);
}

static uint32_t read_word(cortex_m0 *m, uint32_t address, uint32_t *stall) {
    if (IS_RAM(address) && !(address & 3)) return load32(m->ram + (address - 0x20000000u));
    if (IS_FLASH(address) && !(address & 3)) {
        if (m->xip_on) *stall += m0_xip_access(m, address);
        return load32(m->flash + (address & FLASH_MASK));
    }
    return read_elsewhere(m, address);
}

/* A halfword (at an even address; the reference takes any) or a byte. */
static uint32_t read_part(cortex_m0 *m, uint32_t address, int size, uint32_t *stall) {
    if (IS_RAM(address) && IN(address + size - 1, 0x20000000u, RAM_BYTES)) {
        const uint8_t *at = m->ram + (address - 0x20000000u);
        return size == 2 ? load16(at) : *at;
    }
    if (IN(address, 0x10000000u, 0x01000000u) && (address & FLASH_MASK) != FLASH_MASK) {
        const uint8_t *at = m->flash + (address & FLASH_MASK);
        if (m->xip_on) *stall += m0_xip_access(m, address);
        return size == 2 ? load16(at) : *at;
    }
    uint32_t word = read_word(m, address & ~3u, stall);
    if (size == 2) return address & 2 ? word >> 16 : word & 0xFFFF;
    return word >> (8 * (address & 3)) & 0xFF;
}

static void write_word(cortex_m0 *m, uint32_t address, uint32_t value) {
    if (IS_RAM(address) && !(address & 3)) store32(m->ram + (address - 0x20000000u), value);
    else if (IS_DIVIDER(address) && !(address & 3)) m0_divider_write(m, address & 0xFF, value);
    else m->bus_write(m, address, value, 4);
}

static void write_part(cortex_m0 *m, uint32_t address, uint32_t value, int size) {
    if (IS_RAM(address) && IN(address + size - 1, 0x20000000u, RAM_BYTES)) {
        uint8_t *at = m->ram + (address - 0x20000000u);
        if (size == 2) store16(at, value);
        else *at = (uint8_t)value;
    } else {
        m->bus_write(m, address, value, size);
    }
}

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

static void exception_entry(cortex_m0 *m, uint32_t number) {
    uint32_t *r = m->r;
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

/* ---- Decoding: the class of each 16-bit opcode (A5.2) ---- */

#define CLASSES(X)                                                                                             \
    X(UNDEFINED) X(WIDE) X(LSL_I) X(LSR_I) X(ASR_I) X(ADD_R) X(SUB_R) X(ADD_3) X(SUB_3) X(MOV_8) X(CMP_8)      \
    X(ADD_8) X(SUB_8) X(AND) X(EOR) X(LSL) X(LSR) X(ASR) X(ADC) X(SBC) X(ROR) X(TST) X(NEG) X(CMP) X(CMN)      \
    X(ORR) X(MUL) X(BIC) X(MVN) X(ADD_HI) X(CMP_HI) X(MOV_HI) X(BX) X(BLX) X(LDR_PC) X(STR_R) X(STRH_R)        \
    X(STRB_R) X(LDRSB) X(LDR_R) X(LDRH_R) X(LDRB_R) X(LDRSH) X(STR_I) X(LDR_I) X(STRB_I) X(LDRB_I) X(STRH_I)   \
    X(LDRH_I) X(STR_SP) X(LDR_SP) X(ADR) X(ADD_RSP) X(ADD_SP) X(SUB_SP) X(SXTH) X(SXTB) X(UXTH) X(UXTB)        \
    X(PUSH) X(POP) X(CPS) X(REV) X(REV16) X(REVSH) X(BREAK) X(HINT) X(STM) X(LDM) X(BEQ) X(BNE) X(BCS)         \
    X(BCC) X(BMI) X(BPL) X(BVS) X(BVC) X(BHI) X(BLS) X(BGE) X(BLT) X(BGT) X(BLE) X(SVC) X(B)

#define ENUM(name) OP_##name,
enum { CLASSES(ENUM) OP_COUNT };
#undef ENUM

static uint8_t class_of[0x400]; /* by the upper ten bits: a kilobyte stays in the processor's own cache */

typedef struct pattern {
    uint16_t mask, bits;
    uint8_t operation;
} pattern;

/* The first that matches. What the lower six bits decide, BX, CPS and the hints, is left to the loop. */
static const pattern PATTERNS[] = {
    {0xF800, 0xF000, OP_WIDE}, {0xFFC0, 0x4000, OP_AND}, {0xFFC0, 0x4040, OP_EOR}, {0xFFC0, 0x4080, OP_LSL},
    {0xFFC0, 0x40C0, OP_LSR}, {0xFFC0, 0x4100, OP_ASR}, {0xFFC0, 0x4140, OP_ADC}, {0xFFC0, 0x4180, OP_SBC},
    {0xFFC0, 0x41C0, OP_ROR}, {0xFFC0, 0x4200, OP_TST}, {0xFFC0, 0x4240, OP_NEG}, {0xFFC0, 0x4280, OP_CMP},
    {0xFFC0, 0x42C0, OP_CMN}, {0xFFC0, 0x4300, OP_ORR}, {0xFFC0, 0x4340, OP_MUL}, {0xFFC0, 0x4380, OP_BIC},
    {0xFFC0, 0x43C0, OP_MVN}, {0xFF00, 0x4400, OP_ADD_HI}, {0xFF00, 0x4500, OP_CMP_HI}, {0xFF00, 0x4600, OP_MOV_HI},
    {0xFF80, 0x4700, OP_BX}, {0xFF80, 0x4780, OP_BLX}, {0xF800, 0x4800, OP_LDR_PC}, {0xF800, 0x0000, OP_LSL_I},
    {0xF800, 0x0800, OP_LSR_I}, {0xF800, 0x1000, OP_ASR_I}, {0xFE00, 0x1800, OP_ADD_R}, {0xFE00, 0x1A00, OP_SUB_R},
    {0xFE00, 0x1C00, OP_ADD_3}, {0xFE00, 0x1E00, OP_SUB_3}, {0xF800, 0x2000, OP_MOV_8}, {0xF800, 0x2800, OP_CMP_8},
    {0xF800, 0x3000, OP_ADD_8}, {0xF800, 0x3800, OP_SUB_8}, {0xFE00, 0x5000, OP_STR_R}, {0xFE00, 0x5200, OP_STRH_R},
    {0xFE00, 0x5400, OP_STRB_R}, {0xFE00, 0x5600, OP_LDRSB}, {0xFE00, 0x5800, OP_LDR_R}, {0xFE00, 0x5A00, OP_LDRH_R},
    {0xFE00, 0x5C00, OP_LDRB_R}, {0xFE00, 0x5E00, OP_LDRSH}, {0xF800, 0x6000, OP_STR_I}, {0xF800, 0x6800, OP_LDR_I},
    {0xF800, 0x7000, OP_STRB_I}, {0xF800, 0x7800, OP_LDRB_I}, {0xF800, 0x8000, OP_STRH_I}, {0xF800, 0x8800, OP_LDRH_I},
    {0xF800, 0x9000, OP_STR_SP}, {0xF800, 0x9800, OP_LDR_SP}, {0xF800, 0xA000, OP_ADR}, {0xF800, 0xA800, OP_ADD_RSP},
    {0xFF80, 0xB000, OP_ADD_SP}, {0xFF80, 0xB080, OP_SUB_SP}, {0xFFC0, 0xB200, OP_SXTH}, {0xFFC0, 0xB240, OP_SXTB},
    {0xFFC0, 0xB280, OP_UXTH}, {0xFFC0, 0xB2C0, OP_UXTB}, {0xFE00, 0xB400, OP_PUSH}, {0xFFC0, 0xB640, OP_CPS},
    {0xFFC0, 0xBA00, OP_REV}, {0xFFC0, 0xBA40, OP_REV16}, {0xFFC0, 0xBAC0, OP_REVSH},
    {0xFE00, 0xBC00, OP_POP}, {0xFF00, 0xBE00, OP_BREAK}, {0xFF80, 0xBF00, OP_HINT},
    {0xF800, 0xC000, OP_STM},
    {0xF800, 0xC800, OP_LDM}, {0xFF00, 0xDE00, OP_BREAK}, {0xFF00, 0xDF00, OP_SVC}, {0xFF00, 0xD000, OP_BEQ}, {0xFF00, 0xD100, OP_BNE}, {0xFF00, 0xD200, OP_BCS}, {0xFF00, 0xD300, OP_BCC}, {0xFF00, 0xD400, OP_BMI}, {0xFF00, 0xD500, OP_BPL}, {0xFF00, 0xD600, OP_BVS}, {0xFF00, 0xD700, OP_BVC}, {0xFF00, 0xD800, OP_BHI}, {0xFF00, 0xD900, OP_BLS}, {0xFF00, 0xDA00, OP_BGE}, {0xFF00, 0xDB00, OP_BLT}, {0xFF00, 0xDC00, OP_BGT}, {0xFF00, 0xDD00, OP_BLE},
    {0xF800, 0xE000, OP_B},
};

void m0_init(void) {
    for (uint32_t upper = 0; upper < 0x400; upper++) {
        class_of[upper] = OP_UNDEFINED;
        for (size_t i = 0; i < sizeof PATTERNS / sizeof *PATTERNS; i++)
            if ((upper << 6 & PATTERNS[i].mask) == PATTERNS[i].bits) {
                class_of[upper] = PATTERNS[i].operation;
                break;
            }
    }
}

/* ---- The loop ---- */

typedef struct window { /* where instructions come from now */
    const uint8_t *at;
    uint32_t first, bytes;
    uint32_t cached;
} window;

static int find_window(cortex_m0 *m, uint32_t pc, window *w) {
    if (IS_FLASH(pc)) {
        *w = (window){m->flash, pc & 0xFF000000u, FLASH_MASK - 2, m->xip_on};
    } else if (IS_RAM(pc)) {
        *w = (window){m->ram, 0x20000000u, RAM_BYTES - 2, 0};
    } else if (pc < 0x4000 - 2) {
        *w = (window){(const uint8_t *)m->bootrom, 0, 0x4000 - 2, 0};
    } else {
        return 0;
    }
    return 1;
}

/* The flags while the loop runs: N is bit 31 of `n`, Z whether `z` is 0, C and V are 0 or 1. */
typedef struct flags {
    uint32_t n, z, c, v;
} flags;

#define SET_NZ(value) (f.n = f.z = (value))
#define N (f.n >> 31)

/* AddWithCarry() of A2.2.1 */
static inline uint32_t add_with_carry(flags *f, uint32_t a, uint32_t b, uint32_t carry) {
    uint64_t sum = (uint64_t)a + b + carry;
    uint32_t result = (uint32_t)sum;
    f->n = f->z = result;
    f->c = (uint32_t)(sum >> 32);
    f->v = (~(a ^ b) & (a ^ result)) >> 31;
    return result;
}

/* A wide instruction but BL; R15 is behind its first half. Returns its cycles. */
static uint32_t wide(cortex_m0 *m, uint32_t opcode, uint32_t opcode2, uint32_t at) {
    uint32_t *r = m->r;
    if (opcode == 0xF3BF && ((opcode2 & 0xFFF0) == 0x8F50 || (opcode2 & 0xFFF0) == 0x8F40 ||
                             (opcode2 & 0xFFF0) == 0x8F60)) { /* DMB, DSB, ISB */
        r[15] += 2;
        return 3;
    }
    if (opcode == 0xF3EF && (opcode2 >> 12) == 8) { /* MRS */
        r[opcode2 >> 8 & 0xF] = read_special(m, opcode2 & 0xFF);
        r[15] += 2;
        return 3;
    }
    if ((opcode >> 4) == 0xF38 && (opcode2 >> 8) == 0x88) { /* MSR */
        write_special(m, opcode2 & 0xFF, r[opcode & 0xF]);
        r[15] += 2;
        return 3;
    }
    if ((opcode >> 4) == 0xF7F && (opcode2 >> 12) == 0xA) { /* UDF */
        m->bus_break(m, (opcode & 0xF) << 12 | (opcode2 & 0xFFF));
        m->r[15] += 2;
        return 1;
    }
    m->bus_warn(m, WARN_UNDEFINED, at, opcode << 16 | opcode2);
    return 1;
}

static void branch_exchange(cortex_m0 *m, uint32_t address) {
    if (m->handler_mode && (address >> 28) == 0xF) exception_return(m, address & 0x0FFFFFFFu);
    else m->r[15] = address & ~1u;
}

static uint32_t shift_right_arithmetic(uint32_t value, uint32_t by) {
    uint32_t sign = (uint32_t)-(int32_t)(value >> 31);
    if (by >= 32) return sign;
    return by ? value >> by | sign << (32 - by) : value;
}

static void interpret(cortex_m0 *m);

/* Runs instructions, and takes interrupts between them, until `limit`, a wait, or a failure. */
void m0_run(cortex_m0 *m) {
    while (m->cycles < m->limit && !m->failed) {
        if (m->irq_updated && m0_take_exception(m)) {
            m->waiting = 0;
            if (m->cycles >= m->limit) return;
        }
        if (m->waiting) return;
        interpret(m);
    }
}

static inline flags take_flags(const cortex_m0 *m) { return (flags){m->n << 31, !m->z, m->c, m->v}; }

static inline void give_flags(cortex_m0 *m, flags f) {
    m->n = f.n >> 31;
    m->z = f.z == 0;
    m->c = f.c;
    m->v = f.v;
}

/* In the loop below R15, the cycles and the flags live in locals; whoever leaves it writes them back first. */
#define LEAVE() (r[15] = pc, m->cycles = cycles, give_flags(m, f))
#define ENTER()                                                                                            \
    (pc = r[15], cycles = m->cycles, f = take_flags(m), limit = m->failed | m->irq_updated ? 0 : m->limit)
#define RD (opcode & 7)
#define RN (opcode >> 3 & 7)
#define RM (opcode >> 6 & 7)
#define R8 (opcode >> 8 & 7)
#define IMM5 (opcode >> 6 & 31)
#define IMM8 (opcode & 0xFF)
#define HIGH(number) ((number) == 15 ? pc + 2 : r[number])
#define REFERENCE (m->follow_reference)

/* A load of a word: RAM and flash at once, the rest through the functions above. */
#define LOAD_WORD(target, address_)                                                                        \
    do {                                                                                                   \
        uint32_t address = (address_);                                                                     \
        spent = 2;                                                                                         \
        if (IS_RAM(address) && !(address & 3)) {                                                           \
            target = load32(ram + (address - 0x20000000u));                                             \
        } else if (IS_FLASH(address) && !(address & 3)) {                                                  \
            if (m->xip_on) spent += m0_xip_access(m, address);                                             \
            target = load32(flash + (address & FLASH_MASK));                                            \
        } else {                                                                                           \
            spent = 1 + access_cycles(address, 0);                                                         \
            LEAVE();                                                                                       \
            uint32_t loaded = read_elsewhere(m, address);                                                  \
            ENTER();                                                                                       \
            target = loaded;                                                                               \
        }                                                                                                  \
    } while (0)

#define LOAD_PART(target, address_, size, extend)                                                          \
    do {                                                                                                   \
        uint32_t address = (address_);                                                                     \
        spent = 2;                                                                                         \
        if (IN(address, 0x20000000u, RAM_BYTES - 1)) {                                                     \
            const uint8_t *from = ram + (address - 0x20000000u);                                        \
            target = extend((size) == 2 ? load16(from) : *from);                                           \
        } else if (IN(address, 0x10000000u, FLASH_MASK)) {                                                 \
            const uint8_t *from = flash + (address & FLASH_MASK);                                       \
            if (m->xip_on) spent += m0_xip_access(m, address);                                             \
            target = extend((size) == 2 ? load16(from) : *from);                                           \
        } else {                                                                                           \
            spent = 1 + access_cycles(address, 0);                                                         \
            LEAVE();                                                                                       \
            uint32_t loaded = read_part(m, address, size, &spent);                                         \
            ENTER();                                                                                       \
            target = extend(loaded);                                                                       \
        }                                                                                                  \
    } while (0)

#define STORE(address_, value, size)                                                                       \
    do {                                                                                                   \
        uint32_t address = (address_);                                                                     \
        if (IN(address, 0x20000000u, RAM_BYTES - 3) && !((size) == 4 && (address & 3))) {                  \
            uint8_t *to = ram + (address - 0x20000000u);                                                \
            spent = 2;                                                                                     \
            if ((size) == 4) store32(to, value);                                                           \
            else if ((size) == 2) store16(to, value);                                                      \
            else *to = (uint8_t)(value);                                                                   \
        } else {                                                                                           \
            spent = 1 + access_cycles(address, 1);                                                         \
            LEAVE();                                                                                       \
            if ((size) == 4) write_word(m, address, value);                                                \
            else write_part(m, address, value, size);                                                      \
            ENTER();                                                                                       \
        }                                                                                                  \
    } while (0)

#define PLAIN(value) (value)
#define SIGN8(value) ((uint32_t)(int32_t)(int8_t)(value))
#define SIGN16(value) ((uint32_t)(int32_t)(int16_t)(value))
#define BRANCH() (fetched_word = UINT32_MAX)
#define BRANCH_IF(condition)                                                                               \
    do {                                                                                                   \
        if (condition) {                                                                                   \
            pc += 2 + (SIGN8(opcode) << 1);                                                                \
            spent = 2;                                                                                     \
            BRANCH();                                                                                      \
        }                                                                                                  \
    } while (0)

/* The end of each instruction is the next one's beginning: each then has a jump of its own, which the
 * processor predicts by itself. */
#define NEXT()                                                                                             \
    do {                                                                                                   \
        cycles += spent;                                                                                   \
        if (cycles >= limit) goto done;                                                                    \
        at = pc & ~1u;                                                                                     \
        offset = at - w.first;                                                                             \
        if (offset >= w.bytes) goto slow_fetch;                                                            \
        FETCH();                                                                                           \
    } while (0)

#define FETCH()                                                                                            \
    do {                                                                                                   \
        if (w.cached && at >> 2 != fetched_word) {                                                         \
            fetched_word = at >> 2;                                                                        \
            uint32_t stall = m0_xip_access(m, at);                                                         \
            if (stall) {                                                                                   \
                cycles += stall;                                                                           \
                if (cycles >= limit) goto done; /* what falls due meanwhile comes first */                 \
            }                                                                                              \
        }                                                                                                  \
        opcode = load16(w.at + offset);                                                                    \
        pc += 2;                                                                                           \
        spent = 1;                                                                                         \
        goto *labels[class_of[opcode >> 6]];                                                               \
    } while (0)

static void interpret(cortex_m0 *m) {
    uint32_t *r = m->r;
    uint32_t pc = r[15];
    uint64_t cycles = m->cycles;
    uint64_t limit = m->irq_updated ? cycles + 1 : m->limit; /* one instruction, then look again */
    uint32_t fetched_word = m->fetched_word;
    window w = {0, 0, 0, 0};
    flags f = take_flags(m);
    uint8_t *const ram = m->ram, *const flash = m->flash;

#define LABEL(name) &&name,
    static const void *const labels[] = {CLASSES(LABEL)};
#undef LABEL
    uint32_t at, offset, opcode, spent = 0;
    NEXT();

    LSL_I: {
        uint32_t value = r[RN], by = IMM5;
        if (by) f.c = value >> (32 - by) & 1;
        r[RD] = value << by;
        SET_NZ(r[RD]);
        NEXT();
    }
    LSR_I: {
        uint32_t value = r[RN], by = IMM5;
        f.c = value >> (by ? by - 1 : 31) & 1;
        r[RD] = by ? value >> by : 0;
        SET_NZ(r[RD]);
        NEXT();
    }
    ASR_I: {
        uint32_t value = r[RN], by = IMM5 ? IMM5 : 32;
        f.c = value >> (by - 1) & 1;
        r[RD] = shift_right_arithmetic(value, by);
        SET_NZ(r[RD]);
        NEXT();
    }
    ADD_R: r[RD] = add_with_carry(&f, r[RN], r[RM], 0); NEXT();
    SUB_R: r[RD] = add_with_carry(&f, r[RN], ~r[RM], 1); NEXT();
    ADD_3: r[RD] = add_with_carry(&f, r[RN], RM, 0); NEXT();
    SUB_3: r[RD] = add_with_carry(&f, r[RN], ~(RM), 1); NEXT();
    MOV_8:
        r[R8] = IMM8;
        SET_NZ(IMM8);
        NEXT();
    CMP_8: add_with_carry(&f, r[R8], ~(IMM8), 1); NEXT();
    ADD_8: r[R8] = add_with_carry(&f, r[R8], IMM8, 0); NEXT();
    SUB_8: r[R8] = add_with_carry(&f, r[R8], ~(IMM8), 1); NEXT();
    AND:
        r[RD] &= r[RN];
        SET_NZ(r[RD]);
        NEXT();
    EOR:
        r[RD] ^= r[RN];
        SET_NZ(r[RD]);
        NEXT();
    LSL: {
        uint32_t value = r[RD], by = r[RN] & 0xFF;
        if (by) f.c = by <= 32 ? value >> (32 - by) & 1 : REFERENCE ? value >> ((32 - by) & 31) & 1 : 0;
        r[RD] = by < 32 ? value << by : 0;
        SET_NZ(r[RD]);
        NEXT();
    }
    LSR: {
        uint32_t value = r[RD], by = r[RN] & 0xFF;
        if (by || REFERENCE) f.c = by <= 32 ? value >> ((by - 1) & 31) & 1 : 0;
        r[RD] = by < 32 ? value >> by : 0;
        SET_NZ(r[RD]);
        NEXT();
    }
    ASR: {
        uint32_t value = r[RD], by = r[RN] & 0xFF;
        if (by > 32) by = 32;
        if (by || REFERENCE) f.c = value >> ((by - 1) & 31) & 1;
        r[RD] = shift_right_arithmetic(value, by);
        SET_NZ(r[RD]);
        NEXT();
    }
    ADC: {
        uint32_t a = r[RN], b = r[RD], carry = f.c;
        r[RD] = add_with_carry(&f, a, b, carry);
        if (REFERENCE && carry && b == 0x7FFFFFFFu) f.v ^= 1;
        NEXT();
    }
    SBC: {
        uint32_t b = r[RN], carry = f.c;
        r[RD] = add_with_carry(&f, r[RD], ~b, carry);
        if (REFERENCE && !carry && b == 0x7FFFFFFFu) f.v ^= 1;
        NEXT();
    }
    ROR: {
        uint32_t value = r[RD], by = r[RN] & 0xFF, turn = by & 31; /* the two may be one register */
        r[RD] = turn ? value >> turn | value << (32 - turn) : value;
        if (by || REFERENCE) f.c = r[RD] >> 31;
        SET_NZ(r[RD]);
        NEXT();
    }
    TST: {
        uint32_t result = r[RD] & r[RN];
        SET_NZ(result);
        NEXT();
    }
    NEG: r[RD] = add_with_carry(&f, ~r[RN], 0, 1); NEXT();
    CMP: add_with_carry(&f, r[RD], ~r[RN], 1); NEXT();
    CMN: add_with_carry(&f, r[RD], r[RN], 0); NEXT();
    ORR:
        r[RD] |= r[RN];
        SET_NZ(r[RD]);
        NEXT();
    MUL:
        r[RD] *= r[RN];
        SET_NZ(r[RD]);
        NEXT();
    BIC:
        r[RD] &= ~r[RN];
        SET_NZ(r[RD]);
        NEXT();
    MVN:
        r[RD] = ~r[RN];
        SET_NZ(r[RD]);
        NEXT();
    ADD_HI: {
        uint32_t rdn = (opcode >> 4 & 8) | RD, rm = opcode >> 3 & 15;
        uint32_t sum = HIGH(rdn) + HIGH(rm);
        if (rdn == 15) {
            pc = sum & ~1u;
            spent = 2;
            BRANCH();
        } else {
            r[rdn] = rdn == 13 ? sum & ~3u : sum;
        }
        NEXT();
    }
    CMP_HI: {
        uint32_t rn = (opcode >> 4 & 8) | RD, rm = opcode >> 3 & 15;
        uint32_t a = REFERENCE && rn == 15 ? pc : HIGH(rn), b = REFERENCE && rm == 15 ? pc : HIGH(rm);
        add_with_carry(&f, a, ~b, 1);
        NEXT();
    }
    MOV_HI: {
        uint32_t rd = (opcode >> 4 & 8) | RD, rm = opcode >> 3 & 15, value = HIGH(rm);
        if (rd == 15) {
            pc = value & ~1u;
            spent = 2;
            BRANCH();
        } else {
            r[rd] = rd == 13 ? value & ~3u : value;
        }
        NEXT();
    }
    BX:
        if (opcode & 7) goto UNDEFINED;
        spent = 2;
        BRANCH();
        LEAVE();
        branch_exchange(m, (opcode >> 3 & 15) == 15 ? (REFERENCE ? pc : pc + 2) : r[opcode >> 3 & 15]);
        ENTER();
        NEXT();
    BLX: {
        if (opcode & 7) goto UNDEFINED;
        uint32_t rm = opcode >> 3 & 15, link = pc | 1;
        if (rm == 14) {
            pc = (REFERENCE ? link : LR) & ~1u; /* the reference overwrites LR first */
        } else {
            pc = (rm == 15 ? pc : r[rm]) & ~1u;
        }
        LR = link;
        spent = 2;
        BRANCH();
        NEXT();
    }
    LDR_PC: LOAD_WORD(r[R8], ((pc + 2) & ~3u) + IMM8 * 4); NEXT();
    LDR_R: LOAD_WORD(r[RD], r[RN] + r[RM]); NEXT();
    LDR_I: LOAD_WORD(r[RD], r[RN] + IMM5 * 4); NEXT();
    LDR_SP: LOAD_WORD(r[R8], SP + IMM8 * 4); NEXT();
    LDRH_R: LOAD_PART(r[RD], r[RN] + r[RM], 2, PLAIN); NEXT();
    LDRB_R: LOAD_PART(r[RD], r[RN] + r[RM], 1, PLAIN); NEXT();
    LDRSB: LOAD_PART(r[RD], r[RN] + r[RM], 1, SIGN8); NEXT();
    LDRSH: LOAD_PART(r[RD], r[RN] + r[RM], 2, SIGN16); NEXT();
    LDRB_I: LOAD_PART(r[RD], r[RN] + IMM5, 1, PLAIN); NEXT();
    LDRH_I: LOAD_PART(r[RD], r[RN] + IMM5 * 2, 2, PLAIN); NEXT();
    STR_R: STORE(r[RN] + r[RM], r[RD], 4); NEXT();
    STRH_R: STORE(r[RN] + r[RM], r[RD], 2); NEXT();
    STRB_R: STORE(r[RN] + r[RM], r[RD], 1); NEXT();
    STR_I: STORE(r[RN] + IMM5 * 4, r[RD], 4); NEXT();
    STRB_I: STORE(r[RN] + IMM5, r[RD], 1); NEXT();
    STRH_I: STORE(r[RN] + IMM5 * 2, r[RD], 2); NEXT();
    STR_SP: STORE(SP + IMM8 * 4, r[R8], 4); NEXT();
    ADR: r[R8] = (at & ~3u) + 4 + IMM8 * 4; NEXT();
    ADD_RSP: r[R8] = SP + IMM8 * 4; NEXT();
    ADD_SP: SP = (SP + (opcode & 0x7F) * 4) & ~3u; NEXT();
    SUB_SP: SP = (SP - (opcode & 0x7F) * 4) & ~3u; NEXT();
    SXTH: r[RD] = SIGN16(r[RN]); NEXT();
    SXTB: r[RD] = SIGN8(r[RN]); NEXT();
    UXTH: r[RD] = r[RN] & 0xFFFF; NEXT();
    UXTB: r[RD] = r[RN] & 0xFF; NEXT();
    REV: r[RD] = __builtin_bswap32(r[RN]); NEXT();
    REV16: {
        uint32_t value = r[RN];
        r[RD] = (value & 0x00FF00FFu) << 8 | (value >> 8 & 0x00FF00FFu);
        NEXT();
    }
    REVSH: r[RD] = SIGN16((r[RN] & 0xFF) << 8 | (r[RN] >> 8 & 0xFF)); NEXT();
    PUSH: {
        uint32_t list = opcode & 0xFF, with_lr = opcode >> 8 & 1;
        uint32_t count = (uint32_t)__builtin_popcount(list) + with_lr, address = SP - 4 * count;
        spent = 1 + (REFERENCE ? count - with_lr : count);
        LEAVE();
        uint32_t next_sp = (SP - 4 * count) & ~3u;
        for (; list; list &= list - 1, address += 4) write_word(m, address, r[__builtin_ctz(list)]);
        if (with_lr) write_word(m, address, LR);
        SP = next_sp;
        ENTER();
        NEXT();
    }
    POP: {
        uint32_t list = opcode & 0xFF, address = SP;
        spent = 1 + (uint32_t)__builtin_popcount(list);
        LEAVE();
        for (; list; list &= list - 1, address += 4) r[__builtin_ctz(list)] = read_word(m, address, &spent);
        if (opcode & 0x100) {
            SP = (address + 4) & ~3u;
            branch_exchange(m, read_word(m, address, &spent));
            spent += REFERENCE ? 2 : 3; /* the list counts R15 (DDI 0484, table 3-1, note c) */
            BRANCH();
        } else {
            SP = address & ~3u;
        }
        ENTER();
        NEXT();
    }
    STM: {
        uint32_t list = IMM8, address = r[R8], writes_back = !REFERENCE || !(list >> R8 & 1);
        spent = 1 + (uint32_t)__builtin_popcount(list);
        LEAVE();
        for (; list; list &= list - 1, address += 4) write_word(m, address, r[__builtin_ctz(list)]);
        if (writes_back) r[R8] = address;
        ENTER();
        NEXT();
    }
    LDM: {
        uint32_t list = IMM8, address = r[R8], writes_back = !(list >> R8 & 1);
        spent = 1 + (uint32_t)__builtin_popcount(list);
        LEAVE();
        for (; list; list &= list - 1, address += 4) r[__builtin_ctz(list)] = read_word(m, address, &spent);
        if (writes_back) r[R8] = address;
        ENTER();
        NEXT();
    }
    BEQ: BRANCH_IF(f.z == 0); NEXT();
    BNE: BRANCH_IF(f.z != 0); NEXT();
    BCS: BRANCH_IF(f.c); NEXT();
    BCC: BRANCH_IF(!f.c); NEXT();
    BMI: BRANCH_IF(N); NEXT();
    BPL: BRANCH_IF(!N); NEXT();
    BVS: BRANCH_IF(f.v); NEXT();
    BVC: BRANCH_IF(!f.v); NEXT();
    BHI: BRANCH_IF(f.c && f.z); NEXT();
    BLS: BRANCH_IF(!f.c || !f.z); NEXT();
    BGE: BRANCH_IF(N == f.v); NEXT();
    BLT: BRANCH_IF(N != f.v); NEXT();
    BGT: BRANCH_IF(f.z && N == f.v); NEXT();
    BLE: BRANCH_IF(!f.z || N != f.v); NEXT();
    B:
        pc += 2 + (((opcode & 0x7FF) ^ 0x400) - 0x400) * 2;
        spent = 2;
        BRANCH();
        NEXT();
    WIDE: {
        uint32_t stall = 0, opcode2;
        if (w.cached && (at + 2) >> 2 != fetched_word) {
            fetched_word = (at + 2) >> 2;
            stall = m0_xip_access(m, at + 2);
        }
        if (offset + 2 < w.bytes) {
            opcode2 = load16(w.at + offset + 2);
        } else {
            LEAVE();
            opcode2 = read_part(m, at + 2, 2, &stall);
            ENTER();
        }
        if ((opcode2 & 0xD000) == 0xD000) { /* BL */
            uint32_t s = opcode >> 10 & 1, i1 = 1 ^ s ^ (opcode2 >> 13 & 1), i2 = 1 ^ s ^ (opcode2 >> 11 & 1);
            LR = (pc + 2) | 1;
            pc += 2 + ((s ? 0xFF000000u : 0) | i1 << 23 | i2 << 22 | (opcode & 0x3FF) << 12 | (opcode2 & 0x7FF) << 1);
            spent = 3 + stall;
            BRANCH();
        } else {
            LEAVE();
            spent = wide(m, opcode, opcode2, at) + stall;
            ENTER();
        }
        NEXT();
    }
    CPS:
        if ((opcode & ~0x10u) != 0xB662) goto UNDEFINED;
        if (!privileged(m)) NEXT();
        m->primask = opcode >> 4 & 1;
        if (m->primask) NEXT();
        m->irq_updated = 1;
        limit = 0;
        NEXT();
    HINT:
        if ((opcode & 0x6F) == 0x00) NEXT(); /* NOP, YIELD */
        if (opcode == 0xBF40) { /* SEV */
            m->event = 1;
            NEXT();
        }
        if ((opcode & 0x6F) != 0x20) goto UNDEFINED;
        spent = 2;
        if (opcode == 0xBF20 && m->event) {
            m->event = 0;
            NEXT();
        }
        m->waiting = 1;
        m->wait_for_event = opcode == 0xBF20;
        if (!m->wait_for_event && !REFERENCE) m->irq_updated = 1; /* what is pending ends it at once */
        limit = 0;
        NEXT();
    SVC:
        m->pending_svcall = 1;
        m->irq_updated = 1;
        limit = 0;
        NEXT();
    BREAK:
        LEAVE();
        m->bus_break(m, IMM8);
        ENTER();
        NEXT();
UNDEFINED:
        LEAVE();
        m->bus_warn(m, WARN_UNDEFINED, at, opcode);
        ENTER();
        NEXT();

slow_fetch: /* from another memory, its end, or none at all */
    if (find_window(m, at, &w)) {
        offset = at - w.first;
        goto fetch;
    }
    w.bytes = 0;
    LEAVE();
    opcode = read_part(m, at, 2, &spent);
    ENTER();
    pc += 2;
    spent = 1;
    goto *labels[class_of[opcode >> 6]];

fetch:
    FETCH();

done:
    LEAVE();
    m->fetched_word = fetched_word;
}
