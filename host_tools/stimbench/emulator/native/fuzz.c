/* Runs the core without Python, for `make sanitize`: random opcodes, states, interrupts and answers of the bus.
 *
 *     fuzz SEED INSTRUCTIONS
 *
 * Nothing is compared here (tests/emulator does that): the sanitisers look for undefined behaviour and for
 * accesses beyond the memories, each of which is a block of its own.
 */
#include "cortex_m0.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLASH_BYTES (16u << 20)
#define BOOTROM_WORDS 0x1000u
#define DPRAM_BYTES 0x1000u
#define STREAM 32u

static uint64_t state;
static uint64_t bus_accesses;

static uint32_t next(void) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * 0x2545F4914F6CDD1Dull >> 32);
}

static uint32_t below(uint32_t count) { return next() % count; }

static void disturb(cortex_m0 *m) {
    uint32_t dice = below(64);
    if (dice == 0) m->failed = 1;
    if (dice == 1) m->limit = 0;
    if (dice == 2) m->limit = m->cycles + below(40);
    if (dice == 3) m->pending |= 1u << below(32), m->irq_updated = 1;
    if (dice == 4) m->pending_systick = m->irq_updated = 1;
    if (dice == 5) m->vtor = 0x10000000u + (next() & 0xFFFF00u);
    if (dice == 6) m0_xip_flush(m);
    if (dice == 7) m0_xip_invalidate(m, next());
    if (dice == 8) m->r[15] = next();
}

static uint32_t bus_read(cortex_m0 *m, uint32_t address) {
    bus_accesses++;
    disturb(m);
    return address & 4 ? next() : UINT32_MAX;
}

static void bus_write(cortex_m0 *m, uint32_t address, uint32_t value, int size) {
    (void)address, (void)value, (void)size;
    bus_accesses++;
    disturb(m);
}

static void bus_break(cortex_m0 *m, uint32_t code) {
    (void)code;
    disturb(m);
}

static void bus_warn(cortex_m0 *m, int what, uint32_t address, uint32_t opcode) {
    (void)m, (void)what, (void)address, (void)opcode;
}

static uint32_t edge(void) {
    static const uint32_t edges[] = {0, 1, 3, 31, 32, 33, 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF1,
                                     0xFFFFFFF9, 0xFFFFFFFD, 0x3FFC, 0x3FFE, 0x4000, 0x10FFFFFC, 0x10FFFFFE,
                                     0x13FFFFFF, 0x14000000, 0x20000000, 0x20041FFC, 0x20041FFE, 0x20041FFF,
                                     0x20042000, 0x40054028, 0x50100000, 0x50100FFC, 0x50100FFF, 0xD0000060,
                                     0xD0000070, 0xD0000078, 0xE000ED04};
    return edges[below(sizeof edges / sizeof *edges)];
}

static uint32_t value(void) {
    switch (below(5)) {
    case 0: return next();
    case 1: return edge();
    case 2: return 0x10000000u + (next() & 0x03FFFFFFu);
    case 3: return edge() + below(9) - 4;
    default: return 0x20000000u + below(RAM_BYTES);
    }
}

static uint32_t place(void) { /* of code */
    static const uint32_t ends[] = {0, 0x3FF0, 0x10FFFFF0, 0x11FFFFF0, 0x13FFFFF0, 0x20041FF0, 0xFFFFFFF0};
    switch (below(4)) {
    case 0: return ends[below(sizeof ends / sizeof *ends)] + below(18);
    case 1: return 0x20000000u + below(RAM_BYTES);
    default: return 0x10000000u + (next() & 0x03FFFFFFu);
    }
}

static void random_state(cortex_m0 *m) {
    for (int i = 0; i < 15; i++) m->r[i] = value();
    m->r[15] = place();
    m->n = next() & 1, m->z = next() & 1, m->c = next() & 1, m->v = next() & 1;
    m->primask = below(4) == 0;
    m->banked_sp = value();
    m->handler_mode = below(2);
    m->sp_sel = below(2);
    m->n_priv = below(4) == 0;
    m->ipsr = m->handler_mode ? 2 + below(46) : 0;
    m->vtor = below(2) ? 0x10000000u : value() & ~0xFFu;
    m->shpr2 = next(), m->shpr3 = next();
    m->pending = next() & next(), m->enabled = next();
    for (int i = 0; i < 4; i++) m->priority[i] = next();
    m->pending_nmi = below(16) == 0, m->pending_pendsv = below(8) == 0;
    m->pending_svcall = below(8) == 0, m->pending_systick = below(8) == 0;
    m->irq_updated = below(4) == 0, m->event = next() & 1;
    m->waiting = 0, m->wait_for_event = 0, m->failed = 0;
    m->follow_reference = next() & 1;
    m->xip_on = next() & 1, m->xip_enabled = below(8) != 0;
    m->cycles = 0, m->limit = below(2) ? 1 : STREAM;
    m->now_ns = 8.0 * next(), m->epoch_ns = 0;
}

static void random_code(cortex_m0 *m) {
    uint32_t at = m->r[15] & ~1u;
    for (uint32_t i = 0; i < STREAM; i++, at += 2) {
        uint16_t opcode = (uint16_t)next();
        uint8_t *to = NULL;
        if (below(8) == 0) opcode = 0xF000 | (opcode & 0x7FF);
        if (at >> 26 == 0x10000000u >> 26 && (at & FLASH_MASK) <= FLASH_MASK - 1) to = m->flash + (at & FLASH_MASK);
        if (at - 0x20000000u < RAM_BYTES - 1) to = m->ram + (at - 0x20000000u);
        if (to) memcpy(to, &opcode, 2);
    }
}

int main(int count, char **words) {
    static uint32_t registers[16];
    static cortex_m0 core;
    cortex_m0 *m = &core;
    if (count != 3) return 2;
    state = strtoull(words[1], NULL, 0) * 0x9E3779B97F4A7C15ull + 1;
    uint64_t wanted = strtoull(words[2], NULL, 0), runs = 0, cycles = 0, taken = 0;

    m->r = registers;
    m->ram = malloc(RAM_BYTES), m->flash = malloc(FLASH_BYTES), m->dpram = malloc(DPRAM_BYTES);
    m->bootrom = malloc(BOOTROM_WORDS * 4);
    m->misses_of_line = calloc(FLASH_BYTES / 8, 4);
    if (!m->ram || !m->flash || !m->dpram || !m->bootrom || !m->misses_of_line) return 3;
    for (uint32_t i = 0; i < RAM_BYTES; i++) m->ram[i] = (uint8_t)next();
    for (uint32_t i = 0; i < FLASH_BYTES; i += 4) memcpy(m->flash + i, &(uint32_t){next()}, 4);
    for (uint32_t i = 0; i < DPRAM_BYTES; i++) m->dpram[i] = (uint8_t)next();
    for (uint32_t i = 0; i < BOOTROM_WORDS; i++) m->bootrom[i] = next();
    m->miss_cycles = 50, m->word_cycles = 30, m->entry_cycles = 15;
    m->bus_read = bus_read, m->bus_write = bus_write, m->bus_break = bus_break, m->bus_warn = bus_warn;
    m0_init();

    for (; runs < wanted; runs++) { /* at least one instruction each */
        random_state(m);
        random_code(m);
        m0_run(m);
        cycles += m->cycles;
        m->waiting = below(2);
        taken += (uint64_t)m0_take_exception(m);
        m0_divider_write(m, 0x60 + 4 * below(7), value());
        (void)m0_divider_read(m, 0x60 + 4 * below(7));
    }
    printf("seed %s: %llu starts, %llu cycles, %llu accesses to the bus, %llu exceptions\n", words[1],
           (unsigned long long)runs, (unsigned long long)cycles, (unsigned long long)bus_accesses,
           (unsigned long long)taken);
    free(m->ram), free(m->flash), free(m->dpram), free(m->bootrom), free(m->misses_of_line);
    return 0;
}
