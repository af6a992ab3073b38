/* The header in C11, included twice, and together with another copy of Arrow's structs. */
#include "armillaria.h"
#include "armillaria.h"
#include "armillaria/arrow_c_abi.h"
#include "layout.h"

int main(void) {
  ArmillariaString none = armillaria_string(NULL);
  ArmillariaString text = armillaria_string("text");
  return armillaria_abi_version() == ARMILLARIA_ABI_VERSION && none.data == NULL && text.len == 4 ? 0 : 1;
}
