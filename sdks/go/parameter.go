package armillaria

// #include "armillaria.h"
import "C"

import (
	"fmt"
	"reflect"
	"time"
)

// NamedArg is the value of a parameter with a name.
type NamedArg struct {
	Name  string
	Value any
}

// Named gives the parameter $name a value. All arguments of a statement are named, or none is.
func Named(name string, value any) NamedArg { return NamedArg{Name: name, Value: value} }

// Date is a parameter of type DATE: days since 1970-01-01.
type Date int32

// DateOf gives the day of a time, in the time's own zone.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// TimeOfDay is a parameter of type TIME: the time since midnight, to the microsecond.
type TimeOfDay time.Duration

// parameter is a value as the library takes it. It holds no pointers into C.
type parameter struct {
	name     string
	kind     C.uint32_t
	integer  int64
	unsigned uint64
	real     float64
	bytes    []byte
}

type parameterList []parameter

// parameters turns the arguments of a statement into values.
//
// nil is NULL; bool, integers, floats, strings and []byte are what they seem, time.Time is a TIMESTAMP in UTC to the
// microsecond, Date and TimeOfDay are DATE and TIME. Types that are made from these count as them; pointers give what they
// point to, or NULL.
func parameters(args []any) (parameterList, error) {
	list := make(parameterList, len(args))
	for i, arg := range args {
		named, isNamed := arg.(NamedArg)
		if isNamed {
			arg = named.Value
		}
		value, err := parameterOf(arg)
		if err != nil {
			return nil, newError(CodeInvalidArgument, fmt.Sprintf("invalid parameters: argument %d: %v", i+1, err))
		}
		value.name = named.Name
		list[i] = value
	}
	return list, nil
}

func parameterOf(arg any) (parameter, error) {
	switch arg := arg.(type) {
	case nil:
		return parameter{kind: C.ARMILLARIA_PARAMETER_NULL}, nil
	case time.Time:
		micros, fits := microseconds(arg)
		if !fits {
			return parameter{}, fmt.Errorf("a TIMESTAMP cannot hold the year %d", arg.Year())
		}
		return parameter{kind: C.ARMILLARIA_PARAMETER_TIMESTAMP, integer: micros}, nil
	case Date:
		return parameter{kind: C.ARMILLARIA_PARAMETER_DATE, integer: int64(arg)}, nil
	case TimeOfDay:
		return parameter{kind: C.ARMILLARIA_PARAMETER_TIME, integer: time.Duration(arg).Microseconds()}, nil
	case time.Duration:
		return parameter{}, fmt.Errorf("a time.Duration has no SQL type here: pass a TimeOfDay, or a number of units")
	}
	return parameterOfKind(reflect.ValueOf(arg))
}

func parameterOfKind(value reflect.Value) (parameter, error) {
	switch value.Kind() {
	case reflect.Bool:
		p := parameter{kind: C.ARMILLARIA_PARAMETER_BOOL}
		if value.Bool() {
			p.integer = 1
		}
		return p, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return parameter{kind: C.ARMILLARIA_PARAMETER_INT, integer: value.Int()}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return parameter{kind: C.ARMILLARIA_PARAMETER_UINT, unsigned: value.Uint()}, nil
	case reflect.Float32, reflect.Float64:
		return parameter{kind: C.ARMILLARIA_PARAMETER_FLOAT, real: value.Float()}, nil
	case reflect.String:
		return parameter{kind: C.ARMILLARIA_PARAMETER_TEXT, bytes: []byte(value.String())}, nil
	case reflect.Slice:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			if value.IsNil() {
				return parameterOf(nil)
			}
			return parameter{kind: C.ARMILLARIA_PARAMETER_BYTES, bytes: value.Bytes()}, nil
		}
	case reflect.Pointer:
		if value.IsNil() {
			return parameterOf(nil)
		}
		return parameterOf(value.Elem().Interface())
	}
	return parameter{}, fmt.Errorf("a %s has no SQL type here", value.Type())
}

func (list parameterList) export(r *request) (*C.ArmillariaParameter, C.size_t) {
	if len(list) == 0 {
		return nil, 0
	}
	out := make([]C.ArmillariaParameter, len(list))
	for i, p := range list {
		out[i] = C.ArmillariaParameter{
			kind:             p.kind,
			name:             r.pin(optional(p.name)),
			integer:          C.int64_t(p.integer),
			unsigned_integer: C.uint64_t(p.unsigned),
			real:             C.double(p.real),
		}
		if p.bytes != nil {
			out[i].bytes = r.pin(blob(p.bytes))
		}
	}
	r.pins.Pin(&out[0])
	return &out[0], C.size_t(len(out))
}
