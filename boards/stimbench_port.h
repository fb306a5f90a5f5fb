// The port's configuration, less what its own header turns on whatever a board says. py/mpconfig.h includes this file
// (MP_CONFIGFILE). What a board may choose is in stimbench_common.h. Why: docs/decisions/0028-what-the-image-leaves-out.md
#include <mpconfigport.h>

// The one file system is littlefs: there is no SD card, and no mass storage over USB.
#undef MICROPY_VFS_FAT
#define MICROPY_VFS_FAT (0)

// No pin of ours sends to a WS2812, and its timing loop would lie in RAM.
#undef MICROPY_PY_MACHINE_BITSTREAM
#define MICROPY_PY_MACHINE_BITSTREAM (0)
