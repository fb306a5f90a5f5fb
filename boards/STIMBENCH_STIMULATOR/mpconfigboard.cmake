include(${CMAKE_CURRENT_LIST_DIR}/../stimbench_common.cmake)
