# Lists the structs of the header and their fields, one a line: "Struct field". Comments are single lines or begin with *.
/^typedef struct [A-Za-z]+ \{$/ { name = $3; next }
/^\}/ { name = ""; next }
name != "" && /;$/ && !/^ *(\/\*|\*)/ {
  field = $NF
  gsub(/[*;]/, "", field)
  print name, field
}
