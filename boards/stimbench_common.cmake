# What both boards tell the build. Without PICO_BOARD the SDK would look for a board called after ours.
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)

# Paths for the manifests: the firmware's sources, and the folder with the generated stimfw_build.py.
get_filename_component(MICROPY_MANIFEST_FIRMWARE_DIR ${MICROPY_BOARD_DIR}/../../firmware ABSOLUTE)
set(MICROPY_MANIFEST_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
