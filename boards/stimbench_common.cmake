# What both boards tell the build. Without PICO_BOARD the SDK would look for a board called after ours.
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")

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
list(TRANSFORM STIMBENCH_RAM_FILES PREPEND "*/")
list(TRANSFORM STIMBENCH_RAM_FILES APPEND ".c.o")
list(JOIN STIMBENCH_RAM_FILES " " STIMBENCH_RAM_FILES)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/memmap_mp_rp2040.ld STIMBENCH_LINKER_SCRIPT)
foreach(PORT_LIST "*gc.c.obj *vm.c.obj *parse.c.obj) .text*" "*libm.a:) .rodata*")
    string(REPLACE ")" " ${STIMBENCH_RAM_FILES})" OUR_LIST "${PORT_LIST}")
    string(FIND "${STIMBENCH_LINKER_SCRIPT}" "${PORT_LIST}" FOUND)
    if(FOUND EQUAL -1)
        message(FATAL_ERROR "The port's linker script has no '${PORT_LIST}': look at it again.")
    endif()
    string(REPLACE "${PORT_LIST}" "${OUR_LIST}" STIMBENCH_LINKER_SCRIPT "${STIMBENCH_LINKER_SCRIPT}")
endforeach()
file(WRITE ${CMAKE_BINARY_DIR}/stimbench.ld "${STIMBENCH_LINKER_SCRIPT}")
cmake_language(DEFER CALL pico_set_linker_script firmware ${CMAKE_BINARY_DIR}/stimbench.ld)
