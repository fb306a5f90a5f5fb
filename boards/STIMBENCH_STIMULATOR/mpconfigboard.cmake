# The ring of the samples (firmware/stimfw/drivers/sampler.py): DMA wants its 4 KB at a multiple of 4 KB, and the heap
# would have to spend 8 KB for that. Here are the last 4 KB of RAM, which no heap takes.
set(STIMBENCH_RING_BYTES 4096)
include(${CMAKE_CURRENT_LIST_DIR}/../stimbench_common.cmake)
