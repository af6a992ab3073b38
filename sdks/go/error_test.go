package armillaria

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestErrorsAreFoundByCodeAndCategory(t *testing.T) {
	err := fmt.Errorf("while merging: %w", newError(CodeWriteConflict, "another commit changed it"))
	for _, target := range []error{CodeWriteConflict, ErrWriteConflict, ErrConflict} {
		if !errors.Is(err, target) {
			t.Errorf("%v is not %v", err, target)
		}
	}
	for _, target := range []error{ErrMergeConflict, ErrUsage, context.Canceled, io.EOF} {
		if errors.Is(err, target) {
			t.Errorf("%v is %v", err, target)
		}
	}
	var known *Error
	if !errors.As(err, &known) || known.Code != 310 || known.Category.String() != "conflict" {
		t.Errorf("got %#v", known)
	}
	if text := known.Error(); text != "armillaria: another commit changed it (WRITE_CONFLICT, 310)" {
		t.Errorf("got %q", text)
	}
	if !errors.Is(ErrWriteConflict, ErrConflict) {
		t.Error("a code is of its category")
	}
}

func TestEveryCodeHasANameAndTheCategoryOfItsHundreds(t *testing.T) {
	for code, name := range codeNames {
		if code.String() != name || strings.ToUpper(name) != name {
			t.Errorf("code %d is called %q", uint32(code), code)
		}
		if want := map[Code]Category{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 9: 6}[code/100]; code.Category() != want {
			t.Errorf("code %d has the category %v", uint32(code), code.Category())
		}
	}
	if name := Code(777).String(); name != "777" {
		t.Errorf("an unknown code is called %q", name)
	}
}

func TestErrorsOfStreamsAreRebuilt(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(io.ErrUnexpectedEOF)
	cancelled := streamError(ctx, errors.New("operation canceled: ARM-503 the work was cancelled"))
	for _, target := range []error{ErrCancelled, ErrEnvironment, context.Canceled, io.ErrUnexpectedEOF} {
		if !errors.Is(cancelled, target) {
			t.Errorf("%v is not %v", cancelled, target)
		}
	}
	damaged := streamError(ctx, errors.New("input/output error: ARM-400 the chunk \"ARM-1 x\" is damaged"))
	if !errors.Is(damaged, ErrHashMismatch) || errors.Is(damaged, context.Canceled) {
		t.Errorf("got %v", damaged)
	}
	if want := "armillaria: the chunk \"ARM-1 x\" is damaged (HASH_MISMATCH, 400)"; damaged.Error() != want {
		t.Errorf("got %q, want %q", damaged, want)
	}
	foreign := errors.New("invalid argument: ARM-x")
	if err := streamError(ctx, foreign); !errors.Is(err, ErrInternal) || !errors.Is(err, foreign) {
		t.Errorf("got %v", err)
	}
}

func TestAnotherABIIsRefusedWithWords(t *testing.T) {
	if err := checkABI(1, 1); err != nil {
		t.Error(err)
	}
	err := checkABI(7, 1)
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "has ABI version 7") ||
		!strings.Contains(err.Error(), "compiled for version 1") {
		t.Errorf("got %v", err)
	}
}

func TestAnEndedContextIsTheCause(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := checkContext(ctx); !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := checkContext(context.Background()); err != nil {
		t.Error(err)
	}
}
