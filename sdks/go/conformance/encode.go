package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// parseRows makes a reader of rows in batches of so many; 0: all in one.
func parseRows(schema *arrow.Schema, rows []any, batchRows int) (array.RecordReader, error) {
	if batchRows <= 0 {
		batchRows = max(1, len(rows))
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(plainFields(schema.Fields()), nil))
	var batches []arrow.RecordBatch
	for n, row := range rows {
		values, _ := row.([]any)
		if len(values) != schema.NumFields() {
			return nil, fmt.Errorf("row %d has %d values", n, len(values))
		}
		for i, value := range values {
			if err := appendValue(builder.Field(i), value); err != nil {
				return nil, fmt.Errorf("row %d, %s: %w", n, schema.Field(i).Name, err)
			}
		}
		if (n+1)%batchRows == 0 || n+1 == len(rows) {
			batches = append(batches, finish(schema, builder.NewRecordBatch(), n%batchRows+1))
		}
	}
	if len(rows) == 0 {
		batches = append(batches, finish(schema, builder.NewRecordBatch(), 0))
	}
	return array.NewRecordReader(schema, batches)
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// put appends an integer, which is written as a number or as digits.
func put[T integer](add func(T), value any) error {
	text := fmt.Sprint(value)
	if wide, err := strconv.ParseInt(text, 10, 64); err == nil && int64(T(wide)) == wide && (wide >= 0) == (T(wide) >= 0) {
		add(T(wide))
		return nil
	}
	if wide, err := strconv.ParseUint(text, 10, 64); err == nil && uint64(T(wide)) == wide && T(wide) >= 0 {
		add(T(wide))
		return nil
	}
	return fmt.Errorf("%s is no integer that fits", render(value))
}

func appendValue(builder array.Builder, value any) error {
	if value == nil {
		builder.AppendNull()
		return nil
	}
	switch b := builder.(type) {
	case *array.Int8Builder:
		return put(b.Append, value)
	case *array.Int16Builder:
		return put(b.Append, value)
	case *array.Int32Builder:
		return put(b.Append, value)
	case *array.Int64Builder:
		return put(b.Append, value)
	case *array.Uint8Builder:
		return put(b.Append, value)
	case *array.Uint16Builder:
		return put(b.Append, value)
	case *array.Uint32Builder:
		return put(b.Append, value)
	case *array.Uint64Builder:
		return put(b.Append, value)
	case *array.Date32Builder:
		return put(b.Append, value)
	case *array.Date64Builder:
		return put(b.Append, value)
	case *array.Time32Builder:
		return put(b.Append, value)
	case *array.Time64Builder:
		return put(b.Append, value)
	case *array.TimestampBuilder:
		return put(b.Append, value)
	case *array.DurationBuilder:
		return put(b.Append, value)
	case *array.MonthIntervalBuilder:
		return put(b.Append, value)
	case *array.Float16Builder:
		return put(func(bits uint16) { b.Append(float16.FromBits(bits)) }, value)
	case *array.Float32Builder:
		b.Append(float32(toFloat(value)))
	case *array.Float64Builder:
		b.Append(toFloat(value))
	case *array.BooleanBuilder:
		b.Append(value == true)
	case array.StringLikeBuilder:
		text, isText := value.(string)
		b.Append(text)
		if !isText {
			return fmt.Errorf("%s is no text", render(value))
		}
	case *array.BinaryBuilder:
		return appendBytes(b.Append, value)
	case *array.FixedSizeBinaryBuilder:
		return appendBytes(b.Append, value)
	case *array.Decimal128Builder:
		digits, err := parseDecimal(value, b.Type().(*arrow.Decimal128Type).Scale)
		b.Append(decimal128.FromBigInt(digits))
		return err
	case *array.Decimal256Builder:
		digits, err := parseDecimal(value, b.Type().(*arrow.Decimal256Type).Scale)
		b.Append(decimal256.FromBigInt(digits))
		return err
	default:
		return appendNested(builder, value)
	}
	return nil
}

func appendBytes(add func([]byte), value any) error {
	data, err := base64.StdEncoding.DecodeString(fmt.Sprint(value))
	add(data)
	return err
}

func appendNested(builder array.Builder, value any) error {
	items, ok := value.([]any)
	if !ok {
		return fmt.Errorf("%s is no value of %s", render(value), builder.Type())
	}
	switch b := builder.(type) {
	case *array.DayTimeIntervalBuilder:
		var v arrow.DayTimeInterval
		err := errors.Join(put(func(n int32) { v.Days = n }, items[0]), put(func(n int32) { v.Milliseconds = n }, items[1]))
		b.Append(v)
		return err
	case *array.MonthDayNanoIntervalBuilder:
		var v arrow.MonthDayNanoInterval
		err := errors.Join(put(func(n int32) { v.Months = n }, items[0]),
			put(func(n int32) { v.Days = n }, items[1]), put(func(n int64) { v.Nanoseconds = n }, items[2]))
		b.Append(v)
		return err
	case *array.StructBuilder:
		b.Append(true)
		return appendAll(items, b.FieldBuilder)
	case *array.MapBuilder:
		b.Append(true)
		for _, item := range items {
			pair := item.([]any)
			if err := errors.Join(appendValue(b.KeyBuilder(), pair[0]), appendValue(b.ItemBuilder(), pair[1])); err != nil {
				return err
			}
		}
		return nil
	case array.ListLikeBuilder:
		b.Append(true)
		return appendAll(items, func(int) array.Builder { return b.ValueBuilder() })
	}
	return fmt.Errorf("there is no builder of %s", builder.Type())
}

func appendAll(items []any, builder func(int) array.Builder) error {
	for i, item := range items {
		if err := appendValue(builder(i), item); err != nil {
			return err
		}
	}
	return nil
}

func toFloat(value any) float64 {
	switch value {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	case "-0":
		return math.Copysign(0, -1)
	}
	number, err := strconv.ParseFloat(fmt.Sprint(value), 64)
	if err != nil {
		return math.NaN()
	}
	return number
}

// parseDecimal reads "-0.05" as -5 hundredths.
func parseDecimal(value any, scale int32) (*big.Int, error) {
	whole, fraction, _ := strings.Cut(fmt.Sprint(value), ".")
	digits, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || len(fraction) != int(max(0, scale)) {
		return new(big.Int), fmt.Errorf("%s is no decimal of scale %d", render(value), scale)
	}
	return digits, nil
}
