/* Reads ASE's frames: copies arrays out of their dictionaries, frame after frame.
 *
 * Frames of few particles would cost more to read in Python than to describe. The functions declared here are of
 * CPython's stable ABI, and what is known of an array are the heads of PyArrayObject and PyArray_Descr, the same in
 * NumPy 1 and 2. So one build serves every Python, also where there are no headers. Whatever is not exactly as
 * expected is left to conversion.py, which converts it, or says what is wrong with it. The caller holds the GIL. */
#pragma once
#include <stdint.h>
#include <string.h>

typedef struct {
    intptr_t references;
    const void *type;
} Object;

Object *PyList_GetItem(Object *list, intptr_t index);
Object *PyDict_GetItemWithError(Object *dictionary, Object *key);
Object *PyObject_GetAttr(Object *object, Object *name);
void Py_IncRef(Object *object);
void Py_DecRef(Object *object);
Object *PyErr_Occurred(void);
int PyErr_ExceptionMatches(Object *kind);
void PyErr_Clear(void);
extern Object *PyExc_Exception, *PyExc_MemoryError;

typedef struct {
    Object head;
    const void *type;
    char kind, letter, byte_order, flags;
    int number;
} Dtype;

typedef struct {
    Object head;
    const char *data;
    int dimensions;
    const intptr_t *shape, *strides;
    const Object *base;
    const Dtype *dtype;
    int flags;
} Array;

#define PLAIN_ARRAY 0x101 /* C-contiguous and aligned */

/* An array that each frame has: rows of a number, of `side` numbers (rank 1), or of side x side (rank 2). The fields
 * are those of `columns` in reader.py. */
typedef struct {
    Object *name;
    int64_t dtype;             /* NumPy's number of it */
    int64_t rank, side, bytes; /* of a row */
    char *to;
    int64_t step; /* bytes from row to row */
} Column;

/* What objects are known by. */
typedef struct {
    const void *array_type;
    Object *arrays, *numbers, *cell, *array, *pbc;
} Names;

/* A plain array of a type, as NumPy numbers it; NULL when the object is none. */
static const Array *plain(const Object *object, const Names *names, int64_t dtype)
{
    const Array *a = (const Array *)object;

    if (!object || object->type != names->array_type || (a->flags & PLAIN_ARRAY) != PLAIN_ARRAY)
        return NULL;
    return a->dtype->number == dtype && (a->dtype->byte_order == '=' || a->dtype->byte_order == '|') ? a : NULL;
}

/* Copy `rows` rows; 0 when the object is no such array. */
static int copy_rows(const Object *object, const Names *names, const Column *c, int64_t rows, char *to)
{
    const Array *a = plain(object, names, c->dtype);

    if (!a || a->dimensions != 1 + c->rank || a->shape[0] != rows)
        return 0;
    for (int64_t i = 1; i <= c->rank; i++)
        if (a->shape[i] != c->side)
            return 0;

    if (c->step == c->bytes)
        memcpy(to, a->data, rows * c->bytes);
    else
        for (int64_t i = 0; i < rows; i++)
            memcpy(to + i * c->step, a->data + i * c->bytes, c->bytes);
    return 1;
}

/* The same of an attribute of an attribute, or with `second` NULL of an attribute. */
static int copy_attribute(Object *object, Object *first, Object *second, const Names *names, const Column *c,
                          char *to)
{
    Object *value = PyObject_GetAttr(object, first);

    if (value && second) {
        Object *inner = PyObject_GetAttr(value, second);
        Py_DecRef(value);
        value = inner;
    }
    const int copied = copy_rows(value, names, c, 3, to);
    if (value)
        Py_DecRef(value);
    return copied;
}

static int read_frame(Object *frame, const Names *names, const Column *columns, int64_t count, int64_t particles,
                      int64_t first)
{
    Object *arrays = PyObject_GetAttr(frame, names->arrays);
    int copied = arrays != NULL;

    for (const Column *c = columns; c < columns + count && copied; c++)
        copied = copy_rows(PyDict_GetItemWithError(arrays, c->name), names, c, particles, c->to + first * c->step);
    if (arrays)
        Py_DecRef(arrays);
    return copied;
}

/* A frame that is not as expected is no error. Ctrl-C is, and so is memory that has run out. */
static void forget_error(void)
{
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError))
        PyErr_Clear();
}

/* Count the particles of each frame, and mark which of the species 0 to `most` - 1 there are. `dtype` is that of the
 * species. Returns 0 when some frame is not as expected. */
int anisweep_survey(Object *frames, const Names *names, int64_t dtype, int64_t *counts, int64_t frame_count,
                    char *seen, int64_t most)
{
    int there = 1;

    for (int64_t f = 0; f < frame_count && there; f++) {
        Object *frame = PyList_GetItem(frames, f);
        Object *arrays = frame ? PyObject_GetAttr(frame, names->arrays) : NULL;
        const Array *a = arrays ? plain(PyDict_GetItemWithError(arrays, names->numbers), names, dtype) : NULL;

        there = a && a->dimensions == 1;
        counts[f] = there ? a->shape[0] : 0;
        for (int64_t i = 0; i < counts[f] && there; i++) {
            const int64_t species = ((const int64_t *)a->data)[i];
            there = species >= 0 && species < most;
            if (there)
                seen[species] = 1;
        }
        if (arrays)
            Py_DecRef(arrays);
    }
    forget_error();
    return there;
}

/* Read a list of frames whose particles begin at start[frame]. `columns` are `count` arrays of particles, then the
 * cell's and the periodicity's. Returns 0 when some frame is not as expected. */
int anisweep_read(Object *frames, const Names *names, const Column *columns, int64_t count, const int64_t *start,
                  int64_t frame_count)
{
    const Column *cell = columns + count, *pbc = cell + 1;
    int copied = 1;

    for (int64_t f = 0; f < frame_count && copied; f++) {
        Object *frame = PyList_GetItem(frames, f);

        if (frame) {
            Py_IncRef(frame);
            copied = read_frame(frame, names, columns, count, start[f + 1] - start[f], start[f]) &&
                     copy_attribute(frame, names->cell, names->array, names, cell, cell->to + f * 3 * cell->step) &&
                     copy_attribute(frame, names->pbc, NULL, names, pbc, pbc->to + f * 3 * pbc->step);
            Py_DecRef(frame);
        } else {
            copied = 0;
        }
    }
    forget_error();
    return copied;
}
