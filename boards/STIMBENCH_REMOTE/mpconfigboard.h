// stimbench remote: three buttons, three LEDs, a buzzer and the radio link.
#define MICROPY_HW_BOARD_NAME "stimbench remote"
#define MICROPY_HW_USB_PRODUCT_FS_STRING "stimbench remote"

#include "../stimbench_common.h"
