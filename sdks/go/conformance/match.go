package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/armillaria-db/armillaria/sdks/go"
)

// match says where a result does not fit a pattern.
func match(pattern, result any, where string) error {
	mismatch := fmt.Errorf("at %q: want %s, got %s", where, render(pattern), render(result))
	switch pattern := pattern.(type) {
	case map[string]any:
		return matchObject(pattern, result, where, mismatch)
	case []any:
		list, ok := result.([]any)
		if !ok || len(list) != len(pattern) {
			return mismatch
		}
		for i := range pattern {
			if err := match(pattern[i], list[i], fmt.Sprintf("%s/%d", where, i)); err != nil {
				return err
			}
		}
		return nil
	case json.Number:
		if number, ok := result.(json.Number); !ok || !sameNumber(pattern, number) {
			return mismatch
		}
		return nil
	}
	if pattern != result {
		return mismatch
	}
	return nil
}

func matchObject(pattern map[string]any, result any, where string, mismatch error) error {
	if pattern["$any"] == true {
		if result == nil {
			return mismatch
		}
		return nil
	}
	if part, ok := pattern["$contains"].(string); ok {
		if text, ok := result.(string); !ok || !strings.Contains(text, part) {
			return mismatch
		}
		return nil
	}
	if items, ok := pattern["$unordered"].([]any); ok {
		return matchUnordered(items, result, mismatch)
	}
	object, ok := result.(map[string]any)
	if !ok {
		return mismatch
	}
	for key, item := range pattern {
		value, there := object[key]
		if !there {
			return fmt.Errorf("at %q: there is no %q in %s", where, key, render(result))
		}
		if err := match(item, value, where+"/"+key); err != nil {
			return err
		}
	}
	return nil
}

func matchUnordered(items []any, result any, mismatch error) error {
	list, ok := result.([]any)
	if !ok || len(list) != len(items) {
		return mismatch
	}
	taken := make([]bool, len(list))
	for _, item := range items {
		found := false
		for i := range list {
			if !taken[i] && match(item, list[i], "") == nil {
				taken[i], found = true, true
				break
			}
		}
		if !found {
			return mismatch
		}
	}
	return nil
}

func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, okX := new(big.Rat).SetString(a.String())
	y, okY := new(big.Rat).SetString(b.String())
	return okX && okY && x.Cmp(y) == 0
}

// matchError compares an error with a pattern of one.
func matchError(pattern any, err error) error {
	var known *armillaria.Error
	if !errors.As(err, &known) {
		return fmt.Errorf("want the error %s, got %v", render(pattern), err)
	}
	if !errors.Is(err, known.Code) || !errors.Is(err, known.Category) {
		return fmt.Errorf("errors.Is does not find %v", known)
	}
	plain, failure := asJSON(map[string]any{
		"code": known.Code, "name": known.Code.String(), "category": known.Category.String(), "message": known.Message,
	})
	if failure != nil {
		return failure
	}
	if failure := match(pattern, plain, "error"); failure != nil {
		return fmt.Errorf("%w (%w)", failure, err)
	}
	return nil
}

func render(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	const most = 600
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
