/* What the core reaches without leaving C: cache, divider, memories. Part of cortex_m0.c, for the compiler to see all of it at once. */
#ifndef STIMBENCH_CORTEX_M0_MEMORY_H
#define STIMBENCH_CORTEX_M0_MEMORY_H

#include "cortex_m0.h"

#include <string.h>

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

#endif
