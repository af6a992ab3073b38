package main

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// readRows reads a stream to its end.
func readRows(rows *armillaria.Rows) (any, error) {
	list := []any{}
	for batch, err := range rows.Batches() {
		if err != nil {
			return nil, err
		}
		for i := range int(batch.NumRows()) {
			row := make([]any, batch.NumCols())
			for c, column := range batch.Columns() {
				row[c] = valueAt(column, i)
			}
			list = append(list, row)
		}
	}
	return map[string]any{"columns": formatColumns(rows.Schema()), "rows": list, "row_count": len(list)}, nil
}

func digits[T ~int64](number T) string { return strconv.FormatInt(int64(number), 10) }

func valueAt(column arrow.Array, i int) any {
	if column.IsNull(i) {
		return nil
	}
	switch c := column.(type) {
	case *array.Null:
		return nil
	case *array.Boolean:
		return c.Value(i)
	case *array.Int8:
		return c.Value(i)
	case *array.Int16:
		return c.Value(i)
	case *array.Int32:
		return c.Value(i)
	case *array.Int64:
		return digits(c.Value(i))
	case *array.Uint8:
		return c.Value(i)
	case *array.Uint16:
		return c.Value(i)
	case *array.Uint32:
		return c.Value(i)
	case *array.Uint64:
		return strconv.FormatUint(c.Value(i), 10)
	case *array.Float16:
		return c.Value(i).Uint16()
	case *array.Float32:
		return fromFloat(float64(c.Value(i)))
	case *array.Float64:
		return fromFloat(c.Value(i))
	case *array.Date32:
		return c.Value(i)
	case *array.Date64:
		return digits(c.Value(i))
	case *array.Time32:
		return c.Value(i)
	case *array.Time64:
		return digits(c.Value(i))
	case *array.Timestamp:
		return digits(c.Value(i))
	case *array.Duration:
		return digits(c.Value(i))
	case *array.MonthInterval:
		return int32(c.Value(i)) // which is written as an object otherwise
	case *array.DayTimeInterval:
		return []any{c.Value(i).Days, c.Value(i).Milliseconds}
	case *array.MonthDayNanoInterval:
		return []any{c.Value(i).Months, c.Value(i).Days, digits(c.Value(i).Nanoseconds)}
	case *array.Decimal128:
		return formatDecimal(c.Value(i).BigInt(), c.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Decimal256:
		return formatDecimal(c.Value(i).BigInt(), c.DataType().(*arrow.Decimal256Type).Scale)
	case *array.String:
		return strings.Clone(c.Value(i)) // the batch is released before the text is compared
	case *array.LargeString:
		return strings.Clone(c.Value(i))
	case *array.Binary:
		return base64.StdEncoding.EncodeToString(c.Value(i))
	case *array.LargeBinary:
		return base64.StdEncoding.EncodeToString(c.Value(i))
	case *array.FixedSizeBinary:
		return base64.StdEncoding.EncodeToString(c.Value(i))
	case *array.Dictionary:
		return valueAt(c.Dictionary(), c.GetValueIndex(i))
	}
	return nestedAt(column, i)
}

func nestedAt(column arrow.Array, i int) any {
	out := []any{}
	switch c := column.(type) {
	case *array.Struct:
		for f := range c.NumField() {
			out = append(out, valueAt(c.Field(f), i))
		}
	case *array.Map:
		from, to := c.ValueOffsets(i)
		for at := int(from); at < int(to); at++ {
			out = append(out, []any{valueAt(c.Keys(), at), valueAt(c.Items(), at)})
		}
	case array.ListLike:
		from, to := c.ValueOffsets(i)
		for at := int(from); at < int(to); at++ {
			out = append(out, valueAt(c.ListValues(), at))
		}
	default:
		return fmt.Sprintf("a value of the type %s, which cases do not have", column.DataType())
	}
	return out
}

func fromFloat(number float64) any {
	switch {
	case math.IsNaN(number):
		return "NaN"
	case math.IsInf(number, 1):
		return "Infinity"
	case math.IsInf(number, -1):
		return "-Infinity"
	case number == 0 && math.Signbit(number):
		return "-0"
	}
	return number
}

// formatDecimal writes -5 hundredths as "-0.05".
func formatDecimal(number *big.Int, scale int32) string {
	if scale <= 0 {
		return number.String()
	}
	text := new(big.Int).Abs(number).String()
	if missing := int(scale) + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	text = text[:len(text)-int(scale)] + "." + text[len(text)-int(scale):]
	if number.Sign() < 0 {
		return "-" + text
	}
	return text
}
