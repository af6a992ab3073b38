/**
 * A string for an argument, of a text that ends with NUL and stays the caller's; "not given" for NULL.
 */
static inline ArmillariaString armillaria_string(const char *text) {
  ArmillariaString string;
  string.data = text;
  string.len = 0;
  if (text != NULL) {
    while (text[string.len] != '\0') {
      string.len++;
    }
  }
  return string;
}
