package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// args are the fields of a step. They remember which were asked for, and what was wrong with them.
type args struct {
	fields map[string]any
	used   map[string]bool
	errs   []error
}

func newArgs(fields map[string]any) *args { return &args{fields: fields, used: map[string]bool{}} }

// broken says what is wrong with the step itself.
func (a *args) broken() error {
	failures := a.errs
	for name := range a.fields {
		if !a.used[name] {
			failures = append(failures, fmt.Errorf("there is no argument %q", name))
		}
	}
	slices.SortFunc(failures, func(x, y error) int { return len(x.Error()) - len(y.Error()) })
	return errors.Join(failures...)
}

func (a *args) any(name string) any {
	a.used[name] = true
	return a.fields[name]
}

func (a *args) has(name string) bool {
	_, there := a.fields[name]
	return there
}

// typed gives a field of a type; the zero value where there is none.
func typed[T any](a *args, name string) T {
	value := a.any(name)
	out, ok := value.(T)
	if !ok && value != nil {
		a.errs = append(a.errs, fmt.Errorf("%q is %s", name, render(value)))
	}
	return out
}

func (a *args) text(name string) string           { return typed[string](a, name) }
func (a *args) bool(name string) bool             { return typed[bool](a, name) }
func (a *args) list(name string) []any            { return typed[[]any](a, name) }
func (a *args) object(name string) map[string]any { return typed[map[string]any](a, name) }

func (a *args) texts(name string) []string {
	list := a.list(name)
	if list == nil {
		return nil
	}
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = fmt.Sprint(item)
	}
	return out
}

func (a *args) bytes(name string) []byte {
	data, err := base64.StdEncoding.DecodeString(a.text(name))
	if err != nil {
		a.errs = append(a.errs, err)
	}
	return data
}

// number parses an integer, which may be a number or digits.
func number[T int | int64 | uint64 | uint32](a *args, name string) T {
	return toNumber[T](a, a.any(name))
}

func toNumber[T int | int64 | uint64 | uint32](a *args, value any) (out T) {
	if value == nil {
		return 0
	}
	if _, err := fmt.Sscan(fmt.Sprint(value), &out); err != nil {
		a.errs = append(a.errs, fmt.Errorf("%s is no integer that fits: %w", render(value), err))
	}
	return out
}

func (a *args) optional(name string) *uint64 {
	if !a.has(name) {
		return nil
	}
	return armillaria.Some(number[uint64](a, name))
}

func (a *args) time(name string) time.Time {
	if !a.has(name) {
		return time.Time{}
	}
	return time.UnixMicro(number[int64](a, name))
}

func (a *args) versions(name string) map[string]uint64 {
	versions := map[string]uint64{}
	for table, version := range a.object(name) {
		versions[table] = toNumber[uint64](a, version)
	}
	return versions
}

func (a *args) at(name string) (at armillaria.At) {
	fields := newArgs(a.object(name))
	switch {
	case fields.has("tag"):
		at = armillaria.AtTag(fields.text("tag"))
	case fields.has("tx_id"):
		at = armillaria.AtTransaction(number[uint64](fields, "tx_id"))
	case fields.has("time_us"):
		at = armillaria.AtTime(fields.time("time_us"))
	}
	if fields.has("branch") {
		at = at.OnBranch(fields.text("branch"))
	}
	for table, version := range fields.versions("versions") {
		at = at.WithVersion(table, version)
	}
	if broken := fields.broken(); broken != nil {
		a.errs = append(a.errs, broken)
	}
	return at
}

// params gives the arguments of a statement.
func (a *args) params() []any {
	var out []any
	switch params := a.any("params").(type) {
	case []any:
		for _, param := range params {
			out = append(out, a.param(param))
		}
	case map[string]any:
		for name, param := range params {
			out = append(out, armillaria.Named(name, a.param(param)))
		}
	}
	return out
}

func (a *args) param(value any) any {
	fields, _ := value.(map[string]any)
	for kind, value := range fields {
		switch kind {
		case "null":
			return nil
		case "bool", "text":
			return value
		case "int":
			return toNumber[int64](a, value)
		case "uint":
			return toNumber[uint64](a, value)
		case "float":
			return toFloat(value)
		case "bytes":
			return newArgs(fields).bytes(kind)
		case "date":
			return armillaria.Date(toNumber[int64](a, value))
		case "time":
			return armillaria.TimeOfDay(time.Duration(toNumber[int64](a, value)) * time.Microsecond)
		case "timestamp":
			return time.UnixMicro(toNumber[int64](a, value))
		}
	}
	a.errs = append(a.errs, fmt.Errorf("%s is no parameter", render(value)))
	return nil
}

// handle gives the handle that the step is called on.
func (w *world) handle(a *args, field string) any {
	name := a.text(field)
	handle, there := w.made[name]
	if !there {
		a.errs = append(a.errs, fmt.Errorf("there is no handle %q", name))
	}
	return handle
}

// on gives the handle that the step is called on, if it is of the kind that is wanted.
func on[T any](w *world, a *args) (T, error) {
	handle, ok := w.handle(a, "on").(T)
	if !ok {
		return handle, fmt.Errorf("%q is no %T", a.text("on"), handle)
	}
	return handle, nil
}

// context gives the context that stands for the token of the step.
func (w *world) context(a *args) context.Context {
	if !a.has("cancel") {
		return context.Background()
	}
	if token, ok := w.handle(a, "cancel").(*token); ok {
		return token.ctx
	}
	a.errs = append(a.errs, errors.New("\"cancel\" names no cancel token"))
	return context.Background()
}
