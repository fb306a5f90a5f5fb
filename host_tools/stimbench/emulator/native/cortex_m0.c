/* The interpreter: see cortex_m0.h. */
#include "cortex_m0_decode.h"
#include "cortex_m0_exceptions.h"
#include "cortex_m0_loop.h"

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
    static const void *way_to[0x400]; /* from an opcode's upper ten bits in one step: with two the core is slower */
    if (!way_to[0])
        for (uint32_t upper = 0; upper < 0x400; upper++) way_to[upper] = labels[class_of[upper]];
    uint32_t at, opcode, spent = 0;
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
        BRANCH_EXCHANGE((opcode >> 3 & 15) == 15 ? (REFERENCE ? pc : pc + 2) : r[opcode >> 3 & 15]);
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
    SUB_SP: SP = (SP - (opcode & 0x7F) * 4) & ~3u; note_stack(m); NEXT();
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
        uint32_t count = COUNT_ONES(list) + with_lr, address = SP - 4 * count;
        spent = 1 + (REFERENCE ? count - with_lr : count);
        if (ALL_IN_RAM(address, count)) {
            uint8_t *to = ram + (address - 0x20000000u);
            for (; list; list &= list - 1, to += 4) store32(to, r[__builtin_ctz(list)]);
            if (with_lr) store32(to, LR);
            SP = address;
            note_stack(m);
            NEXT();
        }
        LEAVE();
        uint32_t next_sp = (SP - 4 * count) & ~3u;
        for (; list; list &= list - 1, address += 4) write_word(m, address, r[__builtin_ctz(list)]);
        if (with_lr) write_word(m, address, LR);
        SP = next_sp;
        ENTER();
        NEXT();
    }
    POP: {
        uint32_t list = opcode & 0xFF, address = SP, taken = 1 + COUNT_ONES(list);
        if (ALL_IN_RAM(address, taken)) {
            const uint8_t *from = ram + (address - 0x20000000u);
            for (; list; list &= list - 1, from += 4) r[__builtin_ctz(list)] = load32(from);
            SP = address + 4 * (taken - 1);
            if (opcode & 0x100) {
                SP += 4;
                taken += REFERENCE ? 2 : 3; /* as below */
                BRANCH();
                BRANCH_EXCHANGE(load32(from));
            }
            spent = taken;
            NEXT();
        }
        LEAVE();
        for (; list; list &= list - 1, address += 4) r[__builtin_ctz(list)] = read_word(m, address, &taken);
        if (opcode & 0x100) {
            SP = (address + 4) & ~3u;
            branch_exchange(m, read_word(m, address, &taken));
            taken += REFERENCE ? 2 : 3; /* the list counts R15 (DDI 0484, table 3-1, note c) */
            BRANCH();
        } else {
            SP = address & ~3u;
        }
        ENTER();
        spent = taken;
        NEXT();
    }
    STM: {
        uint32_t list = IMM8, address = r[R8], writes_back = !REFERENCE || !(list >> R8 & 1);
        spent = 1 + COUNT_ONES(list);
        if (ALL_IN_RAM(address, spent - 1)) {
            uint8_t *to = ram + (address - 0x20000000u);
            address += 4 * (spent - 1);
            for (; list; list &= list - 1, to += 4) store32(to, r[__builtin_ctz(list)]);
            if (writes_back) r[R8] = address;
            NEXT();
        }
        LEAVE();
        for (; list; list &= list - 1, address += 4) write_word(m, address, r[__builtin_ctz(list)]);
        if (writes_back) r[R8] = address;
        ENTER();
        NEXT();
    }
    LDM: {
        uint32_t list = IMM8, address = r[R8], writes_back = !(list >> R8 & 1);
        uint32_t taken = 1 + COUNT_ONES(list);
        if (ALL_IN_RAM(address, taken - 1)) {
            const uint8_t *from = ram + (address - 0x20000000u);
            address += 4 * (taken - 1);
            for (; list; list &= list - 1, from += 4) r[__builtin_ctz(list)] = load32(from);
            if (writes_back) r[R8] = address;
            spent = taken;
            NEXT();
        }
        LEAVE();
        for (; list; list &= list - 1, address += 4) r[__builtin_ctz(list)] = read_word(m, address, &taken);
        if (writes_back) r[R8] = address;
        ENTER();
        spent = taken;
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
            stall = flash_stall(m, at + 2);
        }
        if (at + 2 - w.first < w.bytes) {
            opcode2 = load16(w.at + (at + 2 - w.first));
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
    if (!find_window(m, at, &w)) {
        uint32_t ignored = 0;
        w.bytes = 0;
        LEAVE();
        opcode = read_part(m, at, 2, &ignored);
        ENTER();
        pc += 2;
        spent = 1;
        goto *way_to[opcode >> 6];
    }
    FETCH();

done:
    LEAVE();
    m->fetched_word = fetched_word;
}
