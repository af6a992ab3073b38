package armillaria_test

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/armillaria-db/armillaria/sdks/go"
)

func TestParametersOfEveryKind(t *testing.T) {
	type id int32
	db := openMemory(t)
	moment := time.Date(2013, 6, 5, 4, 3, 2, 1000, time.FixedZone("", 3600))
	five := 5
	for _, c := range []struct {
		arg      any
		sql      string
		kind     string
		asString string
	}{
		{nil, "?::INTEGER", "INTEGER", "(null)"},
		{(*int)(nil), "?::INTEGER", "INTEGER", "(null)"},
		{[]byte(nil), "?::BLOB", "BLOB", "(null)"},
		{true, "?", "BOOLEAN", "true"},
		{-5, "?", "BIGINT", "-5"},
		{&five, "?", "BIGINT", "5"},
		{id(7), "?", "BIGINT", "7"},
		{uint64(1 << 63), "?", "UBIGINT", "9223372036854775808"},
		{float32(0.5), "?", "DOUBLE", "0.5"},
		{"", "?", "VARCHAR", ""},
		{"füße", "?", "VARCHAR", "füße"},
		{[]byte{0, 255}, "?", "BLOB", "\\x00\\xFF"},
		{armillaria.DateOf(moment), "?", "DATE", "2013-06-05"},
		{armillaria.TimeOfDay(90 * time.Minute), "?", "TIME", "01:30:00"},
		{moment, "?", "TIMESTAMP", "2013-06-05 03:03:02.000001"},
	} {
		rows := must(db.Query(t.Context(), "SELECT coalesce(typeof("+c.sql+")), coalesce("+c.sql+"::VARCHAR, '(null)')", c.arg, c.arg))(t)
		for batch, err := range rows.Batches() {
			check(t, err)
			kind, text := batch.Column(0).(*array.String).Value(0), batch.Column(1).(*array.String).Value(0)
			if kind != c.kind || text != c.asString {
				t.Errorf("%#v came as %s %q, want %s %q", c.arg, kind, text, c.kind, c.asString)
			}
		}
	}
}

func TestNamedParameters(t *testing.T) {
	db := openMemory(t)
	if n := count(t, db, "SELECT $b - $a", armillaria.Named("a", 1), armillaria.Named("b", 5)); n != 4 {
		t.Errorf("got %d", n)
	}
	_, err := db.Query(t.Context(), "SELECT $a", armillaria.Named("b", 1))
	wantError(t, err, armillaria.ErrInvalidArgument)
	_, err = db.Query(t.Context(), "SELECT $a + ?", armillaria.Named("a", 1), 1)
	wantError(t, err, armillaria.ErrUsage)
}

func TestArgumentsWithoutASQLTypeAreRefused(t *testing.T) {
	db := openMemory(t)
	for _, arg := range []any{time.Second, time.Unix(1<<45, 0), time.Unix(-1<<45, 0), struct{}{}, []int{1}, 1i, make(chan int)} {
		_, err := db.Query(t.Context(), "SELECT ?", arg)
		wantError(t, err, armillaria.ErrInvalidArgument)
	}
}

func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	ctx, db, text := t.Context(), openMemory(t), "a\xff"
	_, err := db.Query(ctx, "SELECT '"+text+"'")
	wantError(t, err, armillaria.ErrInvalidArgument)
	_, err = db.Query(ctx, "SELECT ?", text)
	wantError(t, err, armillaria.ErrInvalidArgument)
	_, err = db.WriteTable(ctx, text, ids(0, 1, 1), nil)
	wantError(t, err, armillaria.ErrInvalidArgument)
	_, err = db.WriteTable(ctx, "t", ids(0, 1, 1), &armillaria.WriteOptions{Message: text})
	wantError(t, err, armillaria.ErrInvalidArgument)
	wantError(t, db.Checkout(ctx, text), armillaria.ErrInvalidArgument)
	_, err = armillaria.Open(ctx, "memory:", &armillaria.OpenOptions{Author: text})
	wantError(t, err, armillaria.ErrInvalidArgument)
}
