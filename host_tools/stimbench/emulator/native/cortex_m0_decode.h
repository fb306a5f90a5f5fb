/* Which operation an opcode is. Part of cortex_m0.c, for the compiler to see all of it at once. */
#ifndef STIMBENCH_CORTEX_M0_DECODE_H
#define STIMBENCH_CORTEX_M0_DECODE_H

#include "cortex_m0.h"

#include <stddef.h>

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

static uint8_t class_of[0x400]; /* by the upper ten bits */

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

#endif
