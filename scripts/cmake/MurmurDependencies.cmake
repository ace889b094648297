# Finds the libraries and says, for each that is missing, which package brings it.

find_package(PkgConfig)
if(NOT PKG_CONFIG_FOUND)
  message(FATAL_ERROR "murmur needs pkg-config: install the Debian/Ubuntu package pkg-config")
endif()

set(murmur_missing "")

# murmur_library(TARGET HEADER LIBRARY PACKAGE [pkg-config modules…]): an imported target from the first module found, or
# from HEADER and LIBRARY where there is no module.
function(murmur_library target header library package)
  string(MAKE_C_IDENTIFIER ${target} id)
  foreach(module IN LISTS ARGN)
    pkg_check_modules(${id} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(${id}_FOUND)
      add_library(${target} ALIAS PkgConfig::${id})
      return()
    endif()
  endforeach()
  find_path(${id}_INCLUDE ${header})
  find_library(${id}_LIBRARY ${library})
  if(${id}_INCLUDE AND ${id}_LIBRARY)
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${target} INTERFACE ${${id}_INCLUDE})
    target_link_libraries(${target} INTERFACE ${${id}_LIBRARY})
    return()
  endif()
  set(murmur_missing ${murmur_missing} ${package} PARENT_SCOPE)
endfunction()

murmur_library(xxhash::xxhash xxhash.h xxhash libxxhash-dev libxxhash)
murmur_library(cjson::cjson cjson/cJSON.h cjson libcjson-dev libcjson)
murmur_library(curl::curl curl/curl.h curl libcurl4-openssl-dev libcurl)
murmur_library(openblas::openblas cblas.h openblas libopenblas-dev openblas)
murmur_library(hdf5::hdf5 hdf5.h hdf5_openmpi libhdf5-openmpi-dev hdf5-openmpi)

# HDF5's own library for dimension scales; its package is HDF5's, its pkg-config file does not name it.
find_library(murmur_hdf5_hl NAMES hdf5_hl hdf5_openmpi_hl HINTS ${hdf5__hdf5_LIBRARY_DIRS})
if(NOT murmur_hdf5_hl)
  list(APPEND murmur_missing libhdf5-openmpi-dev)
endif()

find_package(ZLIB QUIET)
if(NOT ZLIB_FOUND)
  list(APPEND murmur_missing zlib1g-dev)
endif()
find_package(MPI QUIET COMPONENTS C)
if(NOT MPI_C_FOUND)
  list(APPEND murmur_missing libopenmpi-dev openmpi-bin)
endif()

if(murmur_missing)
  list(JOIN murmur_missing " " murmur_missing)
  message(FATAL_ERROR "murmur needs libraries that are not here. On Debian or Ubuntu:\n"
                      "  sudo apt-get install ${murmur_missing}\n")
endif()

# A serial HDF5 compiles and then fails at the first file: ask the header now.
find_file(murmur_h5pubconf NAMES H5pubconf.h HINTS ${hdf5__hdf5_INCLUDE_DIRS} NO_DEFAULT_PATH)
if(murmur_h5pubconf)
  file(STRINGS ${murmur_h5pubconf} murmur_h5_parallel REGEX "^#define H5_HAVE_PARALLEL 1")
  if(NOT murmur_h5_parallel)
    message(FATAL_ERROR "${murmur_h5pubconf} is a serial HDF5; murmur needs the parallel one: "
                        "sudo apt-get install libhdf5-openmpi-dev")
  endif()
endif()
