package main

import (
	"strings"
	"testing"
)

const story2013 = `Twelve months, twelve commits:
  version  1,  27004 rows
  version  2,  24951 rows
  version  3,  28834 rows
  version  4,  28330 rows
  version  5,  28796 rows
  version  6,  28243 rows
  version  7,  29425 rows
  version  8,  29327 rows
  version  9,  27574 rows
  version 10,  28889 rows
  version 11,  27268 rows
  version 12,  28135 rows
The mean delay at departure, as it was known
  at version  6: 13.72 minutes
  at version 12: 12.64 minutes
A branch without the cancelled flights, merged:
  main: airlines has 16 rows
  main: flights has 336776 rows
  merged, taking over [flights]
  main: airlines has 16 rows
  main: flights has 328521 rows
A conflict is an answer:
  [airlines] changed on both sides; ours was kept
The subscriber saw all 20 transactions: 16 commits, 2 merges, 2 of branches.
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
