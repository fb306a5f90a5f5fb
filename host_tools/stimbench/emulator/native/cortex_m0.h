/* A Cortex-M0+ of the RP2040: registers, what it can reach without leaving C, and the cache before its flash.
 *
 * Instructions follow the ARMv6-M Architecture Reference Manual (DDI 0419), cycles the Cortex-M0+ Technical
 * Reference Manual (DDI 0484, table 3-1). Everything that is not memory, the divider or the timer's raw count is
 * asked of the `bus` functions: see cortex_m0.pyx.
 */
#ifndef STIMBENCH_CORTEX_M0_H
#define STIMBENCH_CORTEX_M0_H

#include <stdint.h>

#define XIP_SETS 1024u /* 16 KB, two ways of 8 bytes (RP2040 datasheet 2.6.3.1) */
#define RAM_BYTES (264u * 1024u)
#define FLASH_MASK 0x00FFFFFFu

typedef struct xip_set {
    uint32_t tag[2]; /* line number + 1; 0 is an empty way */
    uint32_t older;  /* the way that was used longer ago */
} xip_set;

typedef struct cortex_m0 {
    uint32_t *r; /* R0-R15; R15 is the next instruction's address, without the pipeline's 4 */
    uint32_t n, z, c, v;
    uint32_t primask;
    uint32_t banked_sp, sp_sel, handler_mode, n_priv, ipsr;
    uint32_t vtor, shpr2, shpr3;
    uint32_t pending, enabled, priority[4];
    uint32_t pending_nmi, pending_pendsv, pending_svcall, pending_systick;
    uint32_t irq_updated, event, waiting;
    uint32_t wait_for_event; /* it waits in WFE, not WFI */

    uint64_t cycles; /* since the time was last written back */
    uint64_t limit;  /* run until `cycles` is at least this */
    uint32_t failed; /* the bus raised an exception */
    uint32_t follow_reference; /* do as the reference does where it departs from the manual: see the tests */

    uint8_t *ram, *flash, *dpram;
    uint32_t *bootrom;

    double now_ns;   /* when `cycles` was 0 */
    double epoch_ns; /* when the timer's count was 0 */

    uint32_t dividend, divisor, quotient, remainder, div_signed, div_stale, div_csr;

    uint32_t xip_on;       /* misses are counted and cost time */
    uint32_t xip_enabled;  /* CTRL.EN */
    uint32_t miss_cycles;  /* an 8-byte line from the flash */
    uint32_t word_cycles;  /* a 4-byte word past the cache */
    uint32_t entry_cycles; /* from an interrupt to its handler's first instruction */
    uint32_t xip_hits, xip_accesses;
    uint32_t fetched_word; /* address / 4 of the word that the last instruction came from */
    uint32_t *misses_of_line; /* for a profile: one counter a line of flash, or NULL */

    uint32_t thread_lowest; /* the stack pointer outside handlers */
    uint32_t entered_at;    /* the stack pointer of the thread that the present handler interrupted */
    uint32_t handlers_most; /* bytes that handlers have put below it, the frame of their entry included */
    xip_set xip[XIP_SETS];

    /* The way out. Each may change any field, since it may reset the chip; a read that failed gives 0. */
    void *owner;
    uint32_t (*bus_read)(struct cortex_m0 *m, uint32_t address);
    void (*bus_write)(struct cortex_m0 *m, uint32_t address, uint32_t value, int size);
    void (*bus_break)(struct cortex_m0 *m, uint32_t code);
    void (*bus_warn)(struct cortex_m0 *m, int what, uint32_t address, uint32_t opcode);
} cortex_m0;

enum { WARN_UNDEFINED, WARN_SPECIAL };

void m0_init(void);
void m0_run(cortex_m0 *m);
int m0_take_exception(cortex_m0 *m);
uint32_t m0_divider_read(cortex_m0 *m, uint32_t offset);
void m0_divider_write(cortex_m0 *m, uint32_t offset, uint32_t value);
uint32_t m0_xip_access(cortex_m0 *m, uint32_t address);
void m0_xip_flush(cortex_m0 *m);
void m0_xip_invalidate(cortex_m0 *m, uint32_t address);

#endif
