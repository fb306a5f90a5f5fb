# What both boards tell the build. Without PICO_BOARD the SDK would look for a board called after ours.
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")

# The port's configuration with a few changes that its header leaves no board: stimbench_port.h.
list(APPEND MICROPY_DEF_BOARD MP_CONFIGFILE=\"${CMAKE_CURRENT_LIST_DIR}/stimbench_port.h\")

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# Paths for the manifests: the firmware's sources, and the folder with the generated stimfw_build.py.
get_filename_component(MICROPY_MANIFEST_FIRMWARE_DIR ${MICROPY_BOARD_DIR}/../../firmware ABSOLUTE)
set(MICROPY_MANIFEST_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)

# The interpreter's busiest files run from RAM: in flash, the misses of its cache cost a third of the CPU's time
# (docs/decisions/0018-flash-cache.md). The port's own linker script names such files by another ending than this
# build's compiler gives them, so none of them would be in RAM.
set(STIMBENCH_RAM_FILES
    py/argcheck py/bc py/cstack py/gc py/map py/nlr py/nlrthumb py/obj py/objboundmeth py/objfun
    py/objgenerator py/objint py/objlist py/objmodule py/objrange py/objtuple py/objtype py/runtime py/scheduler
    py/sequence py/smallint py/vm
)
# AES for each radio frame. In RAM its look-ups take the same time whatever they look up. What only decrypts, which
# CCM never does, goes back to flash. One table in the place of four, and a rotation a look-up: 3 KB of RAM.
list(APPEND STIMBENCH_RAM_FILES library/aes extmod/modcryptolib)
list(APPEND MICROPY_DEF_BOARD MBEDTLS_AES_FEWER_TABLES)
# The arithmetic of X25519, in a pairing.
list(APPEND STIMBENCH_RAM_FILES py/mpz py/objint_mpz)
string(JOIN " " STIMBENCH_FLASH_TEXT
    "*/aes.c.o(.text.*decrypt .text.*setkey_dec)"
    "*/mpz.c.o(.text.mpz_*str* .text.mpz_*float .text.mpz_pow* .text.mpz_not_inpl .text.mpz_or_inpl)"
    "*/gc.c.o(.text.gc_dump* .text.gc_info .text.gc_init)"
    "*/obj*.c.o(.text.*print* .text.mp_obj_new_type .text.*int_formatted .text.*int_make_new .text.*asm* .text.native_*)"
    "*/obj*.c.o(.text.*float .text.mp_quicksort)"
    # Not on the way of a pulse or a frame.
    "*/obj*.c.o(.text.mp_obj_int_pow3 .text.super_* .text.type_make_new .text.*get_float_maybe)"
    "*/obj*.c.o(.text.instance_unary_op .text.instance_binary_op .text.instance_subscr .text.mp_obj_is_subclass)"
    "*/obj*.c.o(.text.list_binary_op .text.list_insert .text.mp_obj_list_sort)"
    "*/obj*.c.o(.text.mp_obj_tuple_binary_op .text.mp_obj_tuple_make_new)"
    "*/sequence.c.o(.text.mp_seq_cmp_objs .text.mp_seq_index_obj)"
    "*/map.c.o(.text.mp_set_*)"
    "*/obj*.c.o(.text.range_subscr .text.range_unary_op .text.range_attr .text.list_reverse .text.instance_get_buffer)"
    "*/obj*.c.o(.text.mp_obj_fun_get_name .text.mp_obj_new_module .text.mp_obj_new_int_from_str_len)"
    "*/mpz.c.o(.text.mpz_hash .text.mpz_abs_inpl .text.mpz_xor_inpl .text.mpn_xor_neg .text.mpz_shl_inpl)"
    "*/sequence.c.o(.text.mp_seq_count_obj)"
    "*/runtime.c.o(.text.mp_load_build_class .text.mp_unpack_ex)"
    "*/runtime.c.o(.text.mp_init .text.mp_import* .text.mp_parse* .text.mp_raise*)"
)
# Of constants: AES's tables for decryption, and the texts of errors (2.7 KB).
set(STIMBENCH_FLASH_RODATA "*/aes.c.o(.rodata.RT* .rodata.RSb) *(.rodata.*.str1.*)")

list(TRANSFORM STIMBENCH_RAM_FILES PREPEND "*/")
list(TRANSFORM STIMBENCH_RAM_FILES APPEND ".c.o")
list(JOIN STIMBENCH_RAM_FILES " " STIMBENCH_RAM_FILES)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/memmap_mp_rp2040.ld STIMBENCH_LINKER_SCRIPT)
macro(stimbench_exclude PORT_FILES SECTIONS FLASH_AFTER_ALL)
    string(FIND "${STIMBENCH_LINKER_SCRIPT}" "${PORT_FILES}) ${SECTIONS})" FOUND)
    if(FOUND EQUAL -1)
        message(FATAL_ERROR "The port's linker script has no '${PORT_FILES}) ${SECTIONS})': look at it again.")
    endif()
    string(REPLACE
        "${PORT_FILES}) ${SECTIONS})" "${PORT_FILES} ${STIMBENCH_RAM_FILES}) ${SECTIONS}) ${FLASH_AFTER_ALL}"
        STIMBENCH_LINKER_SCRIPT "${STIMBENCH_LINKER_SCRIPT}"
    )
endmacro()
stimbench_exclude("*gc.c.obj *vm.c.obj *parse.c.obj" ".text*" "${STIMBENCH_FLASH_TEXT}")
stimbench_exclude("*libm.a:" ".rodata*" "${STIMBENCH_FLASH_RODATA}")
if(STIMBENCH_RING_BYTES)
    set(STIMBENCH_HEAP_END "__GcHeapEnd = ORIGIN(RAM) + LENGTH(RAM)")
    string(FIND "${STIMBENCH_LINKER_SCRIPT}" "${STIMBENCH_HEAP_END}" FOUND)
    if(FOUND EQUAL -1)
        message(FATAL_ERROR "The port's linker script has no '${STIMBENCH_HEAP_END}': look at it again.")
    endif()
    string(REPLACE
        "${STIMBENCH_HEAP_END}" "${STIMBENCH_HEAP_END} - ${STIMBENCH_RING_BYTES}"
        STIMBENCH_LINKER_SCRIPT "${STIMBENCH_LINKER_SCRIPT}"
    )
endif()
file(WRITE ${CMAKE_BINARY_DIR}/stimbench.ld "${STIMBENCH_LINKER_SCRIPT}")
cmake_language(DEFER CALL pico_set_linker_script firmware ${CMAKE_BINARY_DIR}/stimbench.ld)
