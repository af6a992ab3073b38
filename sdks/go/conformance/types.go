package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

var simpleTypes = map[string]arrow.DataType{
	"null":                     arrow.Null,
	"bool":                     arrow.FixedWidthTypes.Boolean,
	"int8":                     arrow.PrimitiveTypes.Int8,
	"int16":                    arrow.PrimitiveTypes.Int16,
	"int32":                    arrow.PrimitiveTypes.Int32,
	"int64":                    arrow.PrimitiveTypes.Int64,
	"uint8":                    arrow.PrimitiveTypes.Uint8,
	"uint16":                   arrow.PrimitiveTypes.Uint16,
	"uint32":                   arrow.PrimitiveTypes.Uint32,
	"uint64":                   arrow.PrimitiveTypes.Uint64,
	"float16":                  arrow.FixedWidthTypes.Float16,
	"float32":                  arrow.PrimitiveTypes.Float32,
	"float64":                  arrow.PrimitiveTypes.Float64,
	"utf8":                     arrow.BinaryTypes.String,
	"large_utf8":               arrow.BinaryTypes.LargeString,
	"binary":                   arrow.BinaryTypes.Binary,
	"large_binary":             arrow.BinaryTypes.LargeBinary,
	"date32":                   arrow.FixedWidthTypes.Date32,
	"date64":                   arrow.FixedWidthTypes.Date64,
	"time32(s)":                arrow.FixedWidthTypes.Time32s,
	"time32(ms)":               arrow.FixedWidthTypes.Time32ms,
	"time64(us)":               arrow.FixedWidthTypes.Time64us,
	"time64(ns)":               arrow.FixedWidthTypes.Time64ns,
	"duration(s)":              arrow.FixedWidthTypes.Duration_s,
	"duration(ms)":             arrow.FixedWidthTypes.Duration_ms,
	"duration(us)":             arrow.FixedWidthTypes.Duration_us,
	"duration(ns)":             arrow.FixedWidthTypes.Duration_ns,
	"interval(months)":         arrow.FixedWidthTypes.MonthInterval,
	"interval(day_time)":       arrow.FixedWidthTypes.DayTimeInterval,
	"interval(month_day_nano)": arrow.FixedWidthTypes.MonthDayNanoInterval,
}

var units = []string{"s", "ms", "us", "ns"} // in the order of arrow.TimeUnit

// parseColumns reads [[name, type], …].
func parseColumns(columns []any) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(columns))
	for i, column := range columns {
		pair, _ := column.([]any)
		if len(pair) != 2 {
			return nil, fmt.Errorf("%s is no column", render(column))
		}
		field, err := parseField(fmt.Sprint(pair[0]), fmt.Sprint(pair[1]))
		if err != nil {
			return nil, err
		}
		fields[i] = field
	}
	return arrow.NewSchema(fields, nil), nil
}

func parseField(name, text string) (arrow.Field, error) {
	text, required := strings.CutSuffix(text, " not null")
	data, err := parseType(text)
	return arrow.Field{Name: name, Type: data, Nullable: !required}, err
}

func parseType(text string) (arrow.DataType, error) {
	if data, simple := simpleTypes[text]; simple {
		return data, nil
	}
	head, inside, nested := strings.Cut(text, "<")
	name, arguments, _ := strings.Cut(strings.TrimSuffix(head, ")"), "(")
	first, second, _ := strings.Cut(arguments, ", ")
	if nested {
		return parseNested(name, first, splitChildren(strings.TrimSuffix(inside, ">")))
	}
	a, _ := strconv.Atoi(first)
	b, _ := strconv.Atoi(second)
	switch name {
	case "decimal128":
		return &arrow.Decimal128Type{Precision: int32(a), Scale: int32(b)}, nil
	case "decimal256":
		return &arrow.Decimal256Type{Precision: int32(a), Scale: int32(b)}, nil
	case "fixed_size_binary":
		return &arrow.FixedSizeBinaryType{ByteWidth: a}, nil
	case "timestamp":
		for unit, short := range units {
			if short == first {
				return &arrow.TimestampType{Unit: arrow.TimeUnit(unit), TimeZone: second}, nil
			}
		}
	}
	return nil, fmt.Errorf("there is no type %q", text)
}

func parseNested(name, length string, children []string) (arrow.DataType, error) {
	fields := make([]arrow.Field, len(children))
	for i, child := range children {
		fieldName := "item"
		if name == "struct" {
			fieldName, child, _ = strings.Cut(child, ": ")
		}
		field, err := parseField(fieldName, child)
		if err != nil {
			return nil, err
		}
		fields[i] = field
	}
	switch {
	case name == "struct":
		return arrow.StructOf(fields...), nil
	case name == "list" && len(fields) == 1:
		return arrow.ListOfField(fields[0]), nil
	case name == "large_list" && len(fields) == 1:
		return arrow.LargeListOfField(fields[0]), nil
	case name == "fixed_size_list" && len(fields) == 1:
		n, err := strconv.ParseInt(length, 10, 32)
		return arrow.FixedSizeListOfField(int32(n), fields[0]), err
	case name == "map" && len(fields) == 2:
		return arrow.MapOfFields(
			arrow.Field{Name: "key", Type: fields[0].Type},
			arrow.Field{Name: "value", Type: fields[1].Type, Nullable: fields[1].Nullable}), nil
	case name == "dictionary" && len(fields) == 2:
		return &arrow.DictionaryType{IndexType: fields[0].Type, ValueType: fields[1].Type}, nil
	}
	return nil, fmt.Errorf("there is no type %q with %d children", name, len(fields))
}

// splitChildren splits at the commas that are in no brackets.
func splitChildren(text string) []string {
	var children []string
	depth, start := 0, 0
	for i, char := range text {
		switch char {
		case '<', '(':
			depth++
		case '>', ')':
			depth--
		case ',':
			if depth == 0 {
				children = append(children, strings.TrimSpace(text[start:i]))
				start = i + 1
			}
		}
	}
	return append(children, strings.TrimSpace(text[start:]))
}

// formatColumns writes a schema as [[name, type], …].
func formatColumns(schema *arrow.Schema) []any {
	columns := make([]any, schema.NumFields())
	for i, field := range schema.Fields() {
		columns[i] = []any{field.Name, formatField(field)}
	}
	return columns
}

func formatField(field arrow.Field) string {
	if field.Nullable {
		return formatType(field.Type)
	}
	return formatType(field.Type) + " not null"
}

func formatType(data arrow.DataType) string {
	for name, simple := range simpleTypes {
		if arrow.TypeEqual(simple, data) {
			return name
		}
	}
	switch data := data.(type) {
	case *arrow.Decimal128Type:
		return fmt.Sprintf("decimal128(%d, %d)", data.Precision, data.Scale)
	case *arrow.Decimal256Type:
		return fmt.Sprintf("decimal256(%d, %d)", data.Precision, data.Scale)
	case *arrow.FixedSizeBinaryType:
		return fmt.Sprintf("fixed_size_binary(%d)", data.ByteWidth)
	case *arrow.TimestampType:
		if data.TimeZone == "" {
			return fmt.Sprintf("timestamp(%s)", units[data.Unit])
		}
		return fmt.Sprintf("timestamp(%s, %s)", units[data.Unit], data.TimeZone)
	case *arrow.ListType:
		return "list<" + formatField(data.ElemField()) + ">"
	case *arrow.LargeListType:
		return "large_list<" + formatField(data.ElemField()) + ">"
	case *arrow.FixedSizeListType:
		return fmt.Sprintf("fixed_size_list(%d)<%s>", data.Len(), formatField(data.ElemField()))
	case *arrow.MapType:
		return "map<" + formatType(data.KeyType()) + ", " + formatField(data.ItemField()) + ">"
	case *arrow.DictionaryType:
		return "dictionary<" + formatType(data.IndexType) + ", " + formatType(data.ValueType) + ">"
	case *arrow.StructType:
		fields := make([]string, data.NumFields())
		for i, field := range data.Fields() {
			fields[i] = field.Name + ": " + formatField(field)
		}
		return "struct<" + strings.Join(fields, ", ") + ">"
	}
	return data.String()
}
