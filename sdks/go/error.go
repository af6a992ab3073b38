package armillaria

// #include "armillaria.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Error is what every operation of this package fails with.
//
// errors.Is finds its code (ErrTableNotFound), its category (ErrConflict), and what caused it: the error of a context
// that ended, or that of the reader whose rows were being written. errors.As finds an *Error.
type Error struct {
	// Code is the stable number.
	Code Code
	// Category says how to react.
	Category Category
	// Message says what was wrong, with which object, and what to do.
	Message string

	causes []error
}

// Error gives the message with the code's name and number.
func (e *Error) Error() string {
	return fmt.Sprintf("armillaria: %s (%s, %d)", e.Message, e.Code, uint32(e.Code))
}

// Is tells whether target is the code or the category of this error.
func (e *Error) Is(target error) bool {
	switch target := target.(type) {
	case Code:
		return e.Code == target
	case Category:
		return e.Category == target
	default:
		return false
	}
}

// Unwrap gives the errors that caused this one.
func (e *Error) Unwrap() []error { return e.causes }

func newError(code Code, message string, causes ...error) *Error {
	return &Error{Code: code, Category: code.Category(), Message: message, causes: causes}
}

// takeError turns the outcome of a call into an error and frees what the library allocated for it.
func takeError(ctx context.Context, status C.ArmillariaStatus, failure *C.ArmillariaError) error {
	if status == 0 {
		return nil
	}
	defer C.armillaria_error_free(failure)
	err := &Error{
		Code:     Code(status),
		Category: Category(C.armillaria_error_category(failure)),
		Message:  C.GoString(C.armillaria_error_message(failure)),
	}
	return withContext(ctx, err)
}

// withContext adds why the context ended to an error that says that the work was cancelled.
func withContext(ctx context.Context, err *Error) *Error {
	if err.Code == CodeCancelled {
		err.causes = append(err.causes, contextErrors(ctx)...)
	}
	return err
}

// contextErrors gives the error of a context that ended, and its cause where that is another one.
func contextErrors(ctx context.Context) []error {
	ended := ctx.Err()
	if ended == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != ended {
		return []error{ended, cause}
	}
	return []error{ended}
}

// checkContext fails where there is no point in beginning.
func checkContext(ctx context.Context) error {
	if causes := contextErrors(ctx); causes != nil {
		return newError(CodeCancelled, "the context ended before the work began: "+causes[0].Error(), causes...)
	}
	return nil
}

// streamError rebuilds the error of a stream, whose text carries "ARM-<code> <message>" behind that of an errno.
func streamError(ctx context.Context, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	_, text, found := strings.Cut(err.Error(), "ARM-")
	digits, message, _ := strings.Cut(text, " ")
	code, failed := strconv.ParseUint(digits, 10, 32)
	if !found || failed != nil {
		return newError(CodeInternal, "the rows could not be imported: "+err.Error(), err)
	}
	return withContext(ctx, newError(Code(code), message))
}
