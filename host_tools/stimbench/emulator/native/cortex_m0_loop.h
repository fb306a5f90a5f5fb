/* The loop's vocabulary: how an instruction gets at its operands, and at the next one. Part of cortex_m0.c, for the compiler to see all of it at once. */
#ifndef STIMBENCH_CORTEX_M0_LOOP_H
#define STIMBENCH_CORTEX_M0_LOOP_H

#include "cortex_m0_exceptions.h"

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

/* m0_xip_access, at once where it hits the way that was used last. */
static inline uint32_t flash_stall(cortex_m0 *m, uint32_t address) {
    uint32_t line = (address & FLASH_MASK) >> 3;
    xip_set *set = &m->xip[line % XIP_SETS];
    if (m->xip_enabled && address >> 24 == 0x10 && set->tag[!set->older] == line + 1) {
        m->xip_accesses += m->xip_accesses != UINT32_MAX;
        m->xip_hits += m->xip_hits != UINT32_MAX;
        return 0;
    }
    return m0_xip_access(m, address);
}

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
            if (m->xip_on) spent += flash_stall(m, address);                                             \
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
            if (m->xip_on) spent += flash_stall(m, address);                                             \
            target = extend((size) == 2 ? load16(from) : *from);                                           \
        } else {                                                                                           \
            uint32_t taken = 1 + access_cycles(address, 0);                                                \
            LEAVE();                                                                                       \
            uint32_t loaded = read_part(m, address, size, &taken);                                         \
            ENTER();                                                                                       \
            spent = taken;                                                                                 \
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
#define BRANCH_EXCHANGE(address_)                                                                          \
    do {                                                                                                   \
        uint32_t address = (address_);                                                                     \
        if (m->handler_mode && (address >> 28) == 0xF) {                                                   \
            LEAVE();                                                                                       \
            exception_return(m, address & 0x0FFFFFFFu);                                                    \
            ENTER();                                                                                       \
        } else {                                                                                           \
            pc = address & ~1u;                                                                            \
        }                                                                                                  \
    } while (0)
/* Registers in a list of eight: the processor this is compiled for need not have an instruction for it. */
static const uint8_t ONES[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
#define COUNT_ONES(list) ((uint32_t)ONES[(list) & 15] + ONES[(list) >> 4 & 15])
#define ALL_IN_RAM(address, words) (!((address) & 3) && IN(address, 0x20000000u, RAM_BYTES - 4 * (words) + 1))
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
        if (at - w.first >= w.bytes) goto slow_fetch;                                                      \
        FETCH();                                                                                           \
    } while (0)

#define FETCH()                                                                                            \
    do {                                                                                                   \
        if (w.cached && at >> 2 != fetched_word) {                                                         \
            fetched_word = at >> 2;                                                                        \
            uint32_t stall = flash_stall(m, at);                                                         \
            if (stall) {                                                                                   \
                cycles += stall;                                                                           \
                if (cycles >= limit) goto done; /* what falls due meanwhile comes first */                 \
            }                                                                                              \
        }                                                                                                  \
        opcode = load16(w.at + (at - w.first));                                                            \
        pc += 2;                                                                                           \
        spent = 1;                                                                                         \
        goto *way_to[opcode >> 6];                                                                         \
    } while (0)

#endif
