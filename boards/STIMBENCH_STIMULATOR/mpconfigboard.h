// stimbench stimulator: pulse generation, measurement and the radio link.
#define MICROPY_HW_BOARD_NAME "stimbench stimulator"
#define MICROPY_HW_USB_PRODUCT_FS_STRING "stimbench stimulator"

#include "../stimbench_common.h"
