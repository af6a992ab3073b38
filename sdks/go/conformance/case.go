package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// world is what the steps of one case share.
type world struct {
	root   string
	folder string
	saved  map[string]any
	names  []string // of handles, oldest first
	made   map[string]any
}

// token is what stands for a cancel token in Go.
type token struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// database remembers how it was opened.
type database struct {
	*armillaria.Database
	open func() (*armillaria.Database, error)
}

func runCase(root, name string) (failure error) {
	var file struct {
		Schema, Name, About string
		Steps               []map[string]any
	}
	if err := readJSON(filepath.Join(root, "conformance-tests/cases", name+".json"), &file); err != nil {
		return err
	}
	if file.Schema != "1.0" || file.Name != name || len(file.Steps) == 0 {
		return errors.New("the file is not a case of schema 1.0 with its own name and steps")
	}
	folder, err := os.MkdirTemp("", "armillaria-conformance-")
	if err != nil {
		return err
	}
	w := &world{root: root, folder: folder, saved: map[string]any{}, made: map[string]any{}}
	defer func() {
		if reason := recover(); reason != nil {
			failure = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		}
		failure = errors.Join(failure, w.releaseAll(), os.RemoveAll(folder))
	}()
	for n, step := range file.Steps {
		if err := w.step(step); err != nil {
			return fmt.Errorf("step %d (%v): %w", n+1, step["op"], err)
		}
	}
	return nil
}

// step runs one step and compares what comes of it.
func (w *world) step(raw map[string]any) error {
	resolved, err := w.resolve(raw)
	if err != nil {
		return err
	}
	a := newArgs(resolved.(map[string]any))
	op := a.text("op")
	operation, known := operations[op]
	if !known {
		return fmt.Errorf("there is no operation %q", op)
	}
	as, expect, wanted, save := a.text("as"), a.any("expect"), a.any("error"), a.object("save")
	a.any("note")
	result, err := operation(w, a)
	if broken := a.broken(); broken != nil {
		return errors.Join(broken, err)
	}
	if wanted != nil {
		return matchError(wanted, err)
	}
	if err != nil {
		return err
	}
	if as != "" {
		if result, err = w.keep(as, result); err != nil {
			return err
		}
	}
	plain, err := asJSON(result)
	if err != nil {
		return err
	}
	if expect != nil {
		if err := match(expect, plain, ""); err != nil {
			return err
		}
	}
	return w.save(save, plain)
}

// keep gives a handle its name. What had the name before is released.
func (w *world) keep(name string, handle any) (any, error) {
	err := w.release(name)
	w.names = append(w.names, name)
	w.made[name] = handle
	return map[string]any{}, err
}

func (w *world) release(name string) error {
	handle, there := w.made[name]
	if !there {
		return nil
	}
	delete(w.made, name)
	w.names = slices.DeleteFunc(w.names, func(other string) bool { return other == name })
	switch handle := handle.(type) {
	case *database:
		return handle.Close()
	case *armillaria.Tx:
		if err := handle.Rollback(); !errors.Is(err, armillaria.ErrClosed) {
			return err
		}
	case *armillaria.Subscription:
		return handle.Close()
	case *armillaria.Rows:
		handle.Close()
	case *armillaria.ChunkStore:
		handle.Close()
	case *token:
		handle.cancel()
	}
	return nil
}

func (w *world) releaseAll() error {
	var failures []error
	for len(w.names) > 0 {
		failures = append(failures, w.release(w.names[len(w.names)-1]))
	}
	return errors.Join(failures...)
}

// resolve puts saved values in the place of references to them.
func (w *world) resolve(value any) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		if name, ok := value["$ref"].(string); ok {
			saved, known := w.saved[name]
			if !known {
				return nil, fmt.Errorf("nothing was saved as %q", name)
			}
			return saved, nil
		}
		if parts, ok := value["$concat"].([]any); ok {
			return w.concat(parts)
		}
		out := map[string]any{}
		for key, item := range value {
			resolved, err := w.resolve(item)
			if err != nil {
				return nil, err
			}
			out[key] = resolved
		}
		return out, nil
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			resolved, err := w.resolve(item)
			if err != nil {
				return nil, err
			}
			out[i] = resolved
		}
		return out, nil
	}
	return value, nil
}

func (w *world) concat(parts []any) (any, error) {
	var text strings.Builder
	for _, part := range parts {
		resolved, err := w.resolve(part)
		if err != nil {
			return nil, err
		}
		fmt.Fprint(&text, resolved)
	}
	return text.String(), nil
}

// save keeps values of a result by their pointers.
func (w *world) save(pointers map[string]any, result any) error {
	for name, pointer := range pointers {
		value := result
		for _, key := range strings.Split(strings.TrimPrefix(fmt.Sprint(pointer), "/"), "/") {
			value = at(value, key)
		}
		if value == nil {
			return fmt.Errorf("there is no %v in %s", pointer, render(result))
		}
		w.saved[name] = value
	}
	return nil
}

func at(value any, key string) any {
	switch value := value.(type) {
	case map[string]any:
		return value[key]
	case []any:
		var index int
		if _, err := fmt.Sscan(key, &index); err == nil && index >= 0 && index < len(value) {
			return value[index]
		}
	}
	return nil
}

// asJSON gives a result as it would be read from a file.
func asJSON(result any) (any, error) {
	text, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var plain any
	return plain, decoder.Decode(&plain)
}
