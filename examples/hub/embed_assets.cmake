# cmake -DOUT=file.cc -DDIR=assets -P embed_assets.cmake: writes a C++ source that holds the files of
# the page, each with a version made of its contents.
set(_types css "text/css; charset=utf-8" js "text/javascript; charset=utf-8" svg "image/svg+xml")
file(GLOB _files "${DIR}/*")
list(SORT _files)
set(_arrays "")
set(_rows "")
set(_number 0)
foreach(_file IN LISTS _files)
  get_filename_component(_name "${_file}" NAME)
  string(REGEX REPLACE ".*\\." "" _ending "${_name}")
  list(FIND _types "${_ending}" _at)
  if(_at EQUAL -1)
    message(FATAL_ERROR "${_name}: no content type is known for it")
  endif()
  math(EXPR _at "${_at} + 1")
  list(GET _types ${_at} _type)
  file(SHA256 "${_file}" _hash)
  string(SUBSTRING "${_hash}" 0 16 _version)
  file(READ "${_file}" _hex HEX)
  string(LENGTH "${_hex}" _size)
  math(EXPR _size "${_size} / 2")
  string(REGEX REPLACE "(..)" "\\\\x\\1" _bytes "${_hex}")
  # One literal a line of 32 bytes: an escape ends where its literal does.
  string(REGEX REPLACE "((\\\\x..)(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?)"
         "  \"\\1\"\n" _bytes "${_bytes}")
  string(APPEND _arrays "constexpr char k${_number}[] =\n${_bytes};\n")
  string(APPEND _rows "    {\"/assets/${_name}\", \"${_type}\", \"${_version}\",\n"
                      "     {k${_number}, ${_size}}},\n")
  math(EXPR _number "${_number} + 1")
endforeach()
file(WRITE "${OUT}" "// Made from ${DIR}.
#include \"page_assets.h\"

namespace hub {
namespace {

${_arrays}
}  // namespace

const std::vector<Asset>& Assets() {
  static const auto* const assets = new std::vector<Asset>{
${_rows}  };
  return *assets;
}

}  // namespace hub
")
