// What both boards of the bench have in common: a bare Raspberry Pi Pico (RP2040, W25Q16JV with 2 MB of flash),
// USB serial, no network. Included by each board's mpconfigboard.h, before the port sets its own defaults.

// 640 KB for the firmware, the rest for the filesystem: the port's own figure for a Pico, written here so that a
// new MicroPython cannot move the filesystem under data that a board already holds.
#define MICROPY_HW_FLASH_STORAGE_BYTES (1408 * 1024)

// USB is one serial port. It cannot be reshaped at run time, so no descriptor buffers stay in RAM.
#define MICROPY_HW_USB_CDC (1)
#define MICROPY_HW_USB_MSC (0)
#define MICROPY_HW_ENABLE_USB_RUNTIME_DEVICE (0)
#define MICROPY_HW_USB_MANUFACTURER_STRING "stimbench"

// Everything runs on core 0: a second core would lock core 0 out during its own flash writes, and the other way about.
#define MICROPY_PY_THREAD (0)

// A garbage collection keeps the loop from a STOP. MicroPython's 64 entries of mark stack overflow once more than 64
// modules are imported (each is an entry of one dictionary), and then the whole heap is scanned again and again.
#define MICROPY_ALLOC_GC_STACK_SIZE (256)

// No display, and no network for which TLS would be needed. (hashlib and cryptolib stay: they carry the radio link.)
#define MICROPY_PY_FRAMEBUF (0)
#define MICROPY_PY_SSL (0)

// What neither the firmware nor mpremote uses (docs/decisions/0028-what-the-image-leaves-out.md).
#define MICROPY_PY_MATH_SPECIAL_FUNCTIONS (0)
#define MICROPY_PY_BUILTINS_COMPLEX (0)
#define MICROPY_PY_CMATH (0)

// Frames of Python functions live in a stack of their own. On the heap, where MicroPython puts the larger ones
// otherwise, each call would look for free blocks, and each return would let the next one look from there again: 2 ms
// of a STOP. It lies where the heap would begin: all of the port's 8 KB are C's, because a hard interrupt's handler runs
// on both stacks at their deepest, and MicroPython takes away a handler that finds no room
// (docs/decisions/0065-room-for-interrupts.md).
#define MICROPY_ENABLE_PYSTACK (1)
#define STIMBENCH_PYSTACK_BYTES (2560)
#define MICROPY_BOARD_EARLY_INIT() do { \
    extern void mp_pystack_init(void *start, void *end); \
    static char frames[STIMBENCH_PYSTACK_BYTES] __attribute__((aligned(8))); \
    mp_pystack_init(frames, frames + STIMBENCH_PYSTACK_BYTES); \
} while (0)
