// The header in C++17.
#include "armillaria.h"
#include "armillaria.h"
#include "layout.h"

int main() {
  ArmillariaStatus status = armillaria_error_code(nullptr);
  ArmillariaOpenOptions options{};
  options.struct_size = sizeof options;
  ArmillariaWriteOptions write{};
  write.mode = ARMILLARIA_WRITE_MODE_APPEND;
  return status == ARMILLARIA_STATUS_OK && armillaria_string("text").len == 4 && write.mode == 1 ? 0 : 1;
}
