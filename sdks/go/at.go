package armillaria

// #include "armillaria.h"
import "C"

import (
	"maps"
	"time"
)

// At says where a read looks. The zero value is the head of the current branch.
type At struct {
	branch   *string
	point    C.uint32_t
	tag      string
	txID     uint64
	time     time.Time
	versions map[string]uint64
}

// AtHead looks at the head of the current branch.
func AtHead() At { return At{} }

// AtBranch looks at the head of a branch.
func AtBranch(name string) At { return At{branch: &name} }

// AtTag looks at what a tag names.
func AtTag(name string) At { return At{point: C.ARMILLARIA_AT_POINT_TAG, tag: name} }

// AtTransaction looks at all tables as a transaction left them on its branch; 0 is the empty beginning.
func AtTransaction(txID uint64) At {
	return At{point: C.ARMILLARIA_AT_POINT_TRANSACTION, txID: txID}
}

// AtTime looks at the current branch as it was at a time, inclusive, to the microsecond.
func AtTime(t time.Time) At { return At{point: C.ARMILLARIA_AT_POINT_TIME, time: t} }

// AtVersion looks at one table at a version of it, and at the others at the head of the current branch.
func AtVersion(table string, version uint64) At { return At{}.WithVersion(table, version) }

// OnBranch looks at another branch; it says nothing where a tag or a transaction was named.
func (at At) OnBranch(name string) At {
	at.branch = &name
	return at
}

// WithVersion looks at one table at a version of it.
func (at At) WithVersion(table string, version uint64) At {
	versions := maps.Clone(at.versions)
	if versions == nil {
		versions = map[string]uint64{}
	}
	versions[table] = version
	at.versions = versions
	return at
}

func (at At) export(r *request) *C.ArmillariaAt {
	if at.branch == nil && at.point == C.ARMILLARIA_AT_POINT_HEAD && len(at.versions) == 0 {
		return nil
	}
	out := &C.ArmillariaAt{
		struct_size: C.sizeof_ArmillariaAt,
		point:       at.point,
		tx_id:       C.uint64_t(at.txID),
	}
	if at.branch != nil {
		out.branch = r.pin(text(*at.branch))
	}
	switch at.point {
	case C.ARMILLARIA_AT_POINT_TAG:
		out.tag = r.pin(text(at.tag))
	case C.ARMILLARIA_AT_POINT_TIME:
		micros, _ := microseconds(at.time)
		out.time_us = C.int64_t(micros)
	}
	out.versions, out.versions_len = r.versions(at.versions)
	return out
}

// versions gives tables with versions of theirs.
func (a *arena) versions(versions map[string]uint64) (*C.ArmillariaTableVersion, C.size_t) {
	if len(versions) == 0 {
		return nil, 0
	}
	list := make([]C.ArmillariaTableVersion, 0, len(versions))
	for table, version := range versions {
		list = append(list, C.ArmillariaTableVersion{table: a.pin(text(table)), version: C.uint64_t(version)})
	}
	a.pins.Pin(&list[0])
	return &list[0], C.size_t(len(list))
}
