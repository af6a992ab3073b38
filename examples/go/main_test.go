package main

import (
	"strings"
	"testing"
)

const story2013 = `Twelve months, twelve commits:
`

func TestTheStoryIsTold(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out, "../data"); err != nil {
		t.Fatal(err)
	}
	if out.String() != story2013 {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), story2013)
	}
}
