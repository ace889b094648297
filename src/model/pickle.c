#include "pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/mem.h"

/* ---- what is accepted: docs/MODEL.md lists the same ---- */

typedef enum {
    PROTO = 0x80,
    TUPLE1 = 0x85,
    TUPLE2 = 0x86,
    TUPLE3 = 0x87,
    NEWTRUE = 0x88,
    NEWFALSE = 0x89,
    LONG1 = 0x8A,
    MARK = '(',
    EMPTY_TUPLE = ')',
    STOP = '.',
    BININT = 'J',
    BININT1 = 'K',
    BININT2 = 'M',
    NONE = 'N',
    BINPERSID = 'Q',
    REDUCE = 'R',
    BINUNICODE = 'X',
    EMPTY_LIST = ']',
    APPEND = 'a',
    BUILD = 'b',
    GLOBAL = 'c',
    APPENDS = 'e',
    BINGET = 'h',
    LONG_BINGET = 'j',
    BINPUT = 'q',
    LONG_BINPUT = 'r',
    SETITEM = 's',
    TUPLE = 't',
    SETITEMS = 'u',
    EMPTY_DICT = '}',
} opcode;

typedef enum { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER, STORAGE_CLASS } role;

static const struct {
    const char *module, *name;
    role role;
} globals[] = {
    {"collections", "OrderedDict", ORDERED_DICT},
    {"torch._utils", "_rebuild_tensor_v2", REBUILD_TENSOR},
    {"torch._utils", "_rebuild_parameter", REBUILD_PARAMETER},
    {"torch", "FloatStorage", STORAGE_CLASS},
    {"torch", "HalfStorage", STORAGE_CLASS},
    {"torch", "BFloat16Storage", STORAGE_CLASS},
    {"torch", "DoubleStorage", STORAGE_CLASS},
    {"torch", "LongStorage", STORAGE_CLASS},
    {"torch", "IntStorage", STORAGE_CLASS},
    {"torch", "ShortStorage", STORAGE_CLASS},
    {"torch", "CharStorage", STORAGE_CLASS},
    {"torch", "ByteStorage", STORAGE_CLASS},
    {"torch", "BoolStorage", STORAGE_CLASS},
};
#define N_GLOBALS (sizeof globals / sizeof *globals)

/* ---- the machine ---- */

typedef enum {
    A_MARK,
    A_NONE,
    A_BOOL,
    A_NUMBER,
    A_TEXT,
    A_GLOBAL,
    A_TUPLE,
    A_LIST,
    A_DICT,
    A_STORAGE,
    A_TENSOR
} value_kind;

/* Containers are numbered, not pointed at: nothing that a pickle does makes one vanish, and cycles do no harm. */
typedef struct value {
    value_kind kind;
    int64_t
        number;    /* A_BOOL, A_NUMBER: itself; A_GLOBAL, A_DICT, A_STORAGE, A_TENSOR: which; A_TUPLE: its first item */
    size_t n;      /* A_TUPLE: items */
    mur_view text; /* A_TEXT */
} value;

typedef struct values {
    value *ptr;
    size_t n, cap;
} values;

typedef struct storage {
    const char *type;
    mur_view key;
    int64_t len;
} storage;

/* A tensor under a name in a dict, in the order in which they were set. */
typedef struct item {
    int64_t dict;
    mur_view name;
    size_t tensor;
} item;

typedef struct machine {
    const char *what;
    mur_view pickle;
    size_t at; /* behind the opcode in hand */
    values stack, memo, tuples;
    storage *storages;
    mur_pickled_tensor *tensors;
    item *items;
    size_t n_storages, cap_storages, n_tensors, cap_tensors, n_items, cap_items;
    int64_t n_dicts;
} machine;

static int fail_here(const machine *m, const char *problem)
{
    return mur_fail(MUR_EDATA, "%s: its pickle, at byte %zu: %s; murmur reads a plain state dict, and executes nothing",
                    m->what, m->at, problem);
}

static void push(values *v, value one)
{
    if (v->n == v->cap) {
        v->cap = mur_grown(v->cap, v->n + 1);
        v->ptr = mur_realloc(v->ptr, v->cap, sizeof *v->ptr);
    }
    v->ptr[v->n++] = one;
}

/* The next `n` bytes as a little-endian number; false behind the end. */
static bool take_number(uint64_t *out, machine *m, size_t n)
{
    if (n > m->pickle.len - m->at)
        return false;
    *out = 0;
    for (size_t i = n; i-- > 0;)
        *out = *out << 8 | (unsigned char)m->pickle.ptr[m->at + i];
    m->at += n;
    return true;
}

static bool take_bytes(mur_view *out, machine *m, uint64_t n)
{
    if (n > m->pickle.len - m->at)
        return false;
    *out = (mur_view){m->pickle.ptr + m->at, (size_t)n};
    m->at += (size_t)n;
    return true;
}

/* Up to a line feed, which is taken too. */
static bool take_line(mur_view *out, machine *m)
{
    const char *begin = m->pickle.ptr + m->at, *end = memchr(begin, '\n', m->pickle.len - m->at);
    if (!end)
        return false;
    *out = (mur_view){begin, (size_t)(end - begin)};
    m->at += out->len + 1;
    return true;
}

/* The topmost mark's place in the stack. */
static bool find_mark(size_t *place, const machine *m)
{
    for (size_t i = m->stack.n; i-- > 0;) {
        if (m->stack.ptr[i].kind == A_MARK) {
            *place = i;
            return true;
        }
    }
    return false;
}

/* The values from `from` on become one tuple. */
static int make_tuple(machine *m, size_t from)
{
    value tuple = {.kind = A_TUPLE, .number = (int64_t)m->tuples.n, .n = m->stack.n - from};
    for (size_t i = from; i < m->stack.n; i++) {
        if (m->stack.ptr[i].kind == A_MARK)
            return fail_here(m, "a tuple holds a mark");
        push(&m->tuples, m->stack.ptr[i]);
    }
    m->stack.n = from;
    push(&m->stack, tuple);
    return 0;
}

static const value *tuple_item(const machine *m, const value *tuple, size_t i)
{
    return &m->tuples.ptr[(size_t)tuple->number + i];
}

static bool is_text(const value *v, const char *text)
{
    return v->kind == A_TEXT && mur_view_equal(v->text, mur_view_of(text));
}

/* ---- opcodes that need more than a line ---- */

static int do_global(machine *m)
{
    mur_view module, name;
    if (!take_line(&module, m) || !take_line(&name, m))
        return fail_here(m, "it ends inside a GLOBAL");
    for (size_t i = 0; i < N_GLOBALS; i++) {
        if (mur_view_equal(module, mur_view_of(globals[i].module)) &&
            mur_view_equal(name, mur_view_of(globals[i].name))) {
            push(&m->stack, (value){.kind = A_GLOBAL, .number = (int64_t)i});
            return 0;
        }
    }
    char problem[256];
    snprintf(problem, sizeof problem, "it asks for %.*s.%.*s", (int)(module.len < 80 ? module.len : 80), module.ptr,
             (int)(name.len < 80 ? name.len : 80), name.ptr);
    return fail_here(m, problem);
}

/* ('storage', CLASS, key, device, elements) → a storage. */
static int do_persistent_id(machine *m)
{
    const value *id = m->stack.n ? &m->stack.ptr[m->stack.n - 1] : NULL;
    if (!id || id->kind != A_TUPLE || id->n != 5)
        return fail_here(m, "a persistent id is not that of a storage");
    const value *class = tuple_item(m, id, 1), *key = tuple_item(m, id, 2), *len = tuple_item(m, id, 4);
    if (!is_text(tuple_item(m, id, 0), "storage") || class->kind != A_GLOBAL ||
        globals[class->number].role != STORAGE_CLASS || key->kind != A_TEXT || len->kind != A_NUMBER || len->number < 0)
        return fail_here(m, "a persistent id is not that of a storage");
    if (m->n_storages == m->cap_storages) {
        m->cap_storages = mur_grown(m->cap_storages, m->n_storages + 1);
        m->storages = mur_realloc(m->storages, m->cap_storages, sizeof *m->storages);
    }
    m->storages[m->n_storages] = (storage){globals[class->number].name, key->text, len->number};
    m->stack.ptr[m->stack.n - 1] = (value){.kind = A_STORAGE, .number = (int64_t)m->n_storages++};
    return 0;
}

/* out[MUR_TENSOR_DIMS] = the first numbers of a tuple; false where it holds something else, or a negative one. */
static bool take_extents(int64_t *out, const machine *m, const value *tuple)
{
    for (size_t i = 0; i < tuple->n; i++) {
        const value *v = tuple_item(m, tuple, i);
        if (v->kind != A_NUMBER || v->number < 0)
            return false;
        if (i < MUR_TENSOR_DIMS)
            out[i] = v->number;
    }
    return true;
}

/* (storage, first element, shape, strides, requires_grad, hooks[, metadata]) → a tensor. */
static int rebuild_tensor(machine *m, const value *arguments, value *result)
{
    const char *problem = "_rebuild_tensor_v2 has other arguments than a storage, an offset, a shape and strides";
    if (arguments->n < 4)
        return fail_here(m, problem);
    const value *from = tuple_item(m, arguments, 0), *first = tuple_item(m, arguments, 1);
    const value *shape = tuple_item(m, arguments, 2), *stride = tuple_item(m, arguments, 3);
    mur_pickled_tensor t = {0};
    if (from->kind != A_STORAGE || first->kind != A_NUMBER || first->number < 0 || shape->kind != A_TUPLE ||
        stride->kind != A_TUPLE || shape->n != stride->n || !take_extents(t.shape, m, shape) ||
        !take_extents(t.stride, m, stride))
        return fail_here(m, problem);
    const storage *s = &m->storages[from->number];
    t.storage = s->key;
    t.type = s->type;
    t.storage_len = s->len;
    t.first = first->number;
    t.n_dims = shape->n;
    if (m->n_tensors == m->cap_tensors) {
        m->cap_tensors = mur_grown(m->cap_tensors, m->n_tensors + 1);
        m->tensors = mur_realloc(m->tensors, m->cap_tensors, sizeof *m->tensors);
    }
    m->tensors[m->n_tensors] = t;
    *result = (value){.kind = A_TENSOR, .number = (int64_t)m->n_tensors++};
    return 0;
}

/* callable, arguments → result */
static int do_reduce(machine *m)
{
    if (m->stack.n < 2)
        return fail_here(m, "REDUCE without a callable and its arguments");
    const value *callable = &m->stack.ptr[m->stack.n - 2], *arguments = callable + 1;
    if (callable->kind != A_GLOBAL || arguments->kind != A_TUPLE)
        return fail_here(m, "REDUCE of something that is no class with a tuple");
    value result = {.kind = A_NONE};
    int rc = 0;
    switch (globals[callable->number].role) {
    case ORDERED_DICT:
        if (arguments->n > 0)
            rc = fail_here(m, "an OrderedDict is made with arguments");
        result = (value){.kind = A_DICT, .number = m->n_dicts++};
        break;
    case REBUILD_TENSOR: rc = rebuild_tensor(m, arguments, &result); break;
    case REBUILD_PARAMETER: /* (tensor, requires_grad, hooks) */
        if (arguments->n == 0 || tuple_item(m, arguments, 0)->kind != A_TENSOR)
            rc = fail_here(m, "_rebuild_parameter has other arguments than a tensor");
        else
            result = *tuple_item(m, arguments, 0);
        break;
    case STORAGE_CLASS: rc = fail_here(m, "a storage's class is called"); break;
    }
    if (rc == 0) {
        m->stack.n -= 2;
        push(&m->stack, result);
    }
    return rc;
}

/* dict, and from `from` on names and values by turns → dict */
static int set_items(machine *m, size_t from)
{
    if (from == 0 || from > m->stack.n || (m->stack.n - from) % 2 != 0 || m->stack.ptr[from - 1].kind != A_DICT)
        return fail_here(m, "items are set of something that is no dict");
    for (size_t i = from; i < m->stack.n; i += 2) {
        const value *name = &m->stack.ptr[i], *held = name + 1;
        if (name->kind != A_TEXT || held->kind != A_TENSOR)
            continue;
        if (m->n_items == m->cap_items) {
            m->cap_items = mur_grown(m->cap_items, m->n_items + 1);
            m->items = mur_realloc(m->items, m->cap_items, sizeof *m->items);
        }
        m->items[m->n_items++] = (item){m->stack.ptr[from - 1].number, name->text, (size_t)held->number};
    }
    m->stack.n = from;
    return 0;
}

/* list, and from `from` on what is appended → list; what lists hold is of no use here */
static int append_items(machine *m, size_t from)
{
    if (from == 0 || from > m->stack.n || m->stack.ptr[from - 1].kind != A_LIST)
        return fail_here(m, "something is appended to what is no list");
    m->stack.n = from;
    return 0;
}

static int put(machine *m, size_t digits)
{
    uint64_t place;
    if (!take_number(&place, m, digits) || m->stack.n == 0)
        return fail_here(m, "nothing to remember");
    if (place > m->memo.n) /* Python's pickler counts up by one */
        return fail_here(m, "it remembers things out of order");
    if (place == m->memo.n)
        push(&m->memo, m->stack.ptr[m->stack.n - 1]);
    else
        m->memo.ptr[place] = m->stack.ptr[m->stack.n - 1];
    return 0;
}

static int get(machine *m, size_t digits)
{
    uint64_t place;
    if (!take_number(&place, m, digits) || place >= m->memo.n)
        return fail_here(m, "it recalls what it did not remember");
    push(&m->stack, m->memo.ptr[place]);
    return 0;
}

/* A signed little-endian number of `n` bytes, 0 to 8. */
static int push_number(machine *m, size_t n, bool is_signed)
{
    uint64_t bits;
    if (!take_number(&bits, m, n))
        return fail_here(m, "it ends inside a number");
    if (is_signed && n > 0 && n < 8 && bits >> (8 * n - 1))
        bits |= UINT64_MAX << 8 * n;
    int64_t number;
    memcpy(&number, &bits, sizeof number);
    push(&m->stack, (value){.kind = A_NUMBER, .number = number});
    return 0;
}

static int push_long(machine *m)
{
    uint64_t n;
    if (!take_number(&n, m, 1) || n > 8)
        return fail_here(m, "a number of more than 64 bits");
    return push_number(m, (size_t)n, true);
}

static int push_text(machine *m)
{
    uint64_t n;
    mur_view text;
    if (!take_number(&n, m, 4) || !take_bytes(&text, m, n))
        return fail_here(m, "it ends inside a text");
    push(&m->stack, (value){.kind = A_TEXT, .text = text});
    return 0;
}

/* object, state → object. The state of an OrderedDict is the modules' versions (_metadata): of no use here. */
static int do_build(machine *m)
{
    if (m->stack.n < 2 || m->stack.ptr[m->stack.n - 2].kind != A_DICT || m->stack.ptr[m->stack.n - 1].kind == A_MARK)
        return fail_here(m, "BUILD of something that is no dict");
    m->stack.n--;
    return 0;
}

/* The opcodes that close what was put on the stack since a mark. */
static int close_mark(machine *m, opcode op)
{
    size_t mark;
    if (!find_mark(&mark, m))
        return fail_here(m, "nothing was marked");
    memmove(m->stack.ptr + mark, m->stack.ptr + mark + 1, (m->stack.n - mark - 1) * sizeof *m->stack.ptr);
    m->stack.n--;
    return op == TUPLE ? make_tuple(m, mark) : op == SETITEMS ? set_items(m, mark) : append_items(m, mark);
}

static int take_tuple(machine *m, size_t n)
{
    return m->stack.n < n ? fail_here(m, "a tuple of more than there is") : make_tuple(m, m->stack.n - n);
}

static int step(machine *m, unsigned char byte)
{
    uint64_t protocol;
    switch ((opcode)byte) {
    case PROTO:
        if (!take_number(&protocol, m, 1) || protocol != 2)
            return fail_here(m, "its protocol is not 2");
        return 0;
    case MARK: push(&m->stack, (value){.kind = A_MARK}); return 0;
    case NONE: push(&m->stack, (value){.kind = A_NONE}); return 0;
    case NEWTRUE: push(&m->stack, (value){.kind = A_BOOL, .number = 1}); return 0;
    case NEWFALSE: push(&m->stack, (value){.kind = A_BOOL}); return 0;
    case BININT: return push_number(m, 4, true);
    case BININT1: return push_number(m, 1, false);
    case BININT2: return push_number(m, 2, false);
    case LONG1: return push_long(m);
    case BINUNICODE: return push_text(m);
    case GLOBAL: return do_global(m);
    case EMPTY_DICT: push(&m->stack, (value){.kind = A_DICT, .number = m->n_dicts++}); return 0;
    case EMPTY_LIST: push(&m->stack, (value){.kind = A_LIST}); return 0;
    case EMPTY_TUPLE: return take_tuple(m, 0);
    case TUPLE1: return take_tuple(m, 1);
    case TUPLE2: return take_tuple(m, 2);
    case TUPLE3: return take_tuple(m, 3);
    case TUPLE:
    case SETITEMS:
    case APPENDS: return close_mark(m, (opcode)byte);
    case SETITEM: return m->stack.n < 3 ? fail_here(m, "SETITEM without an item") : set_items(m, m->stack.n - 2);
    case APPEND: return m->stack.n < 2 ? fail_here(m, "APPEND without an item") : append_items(m, m->stack.n - 1);
    case BINPUT: return put(m, 1);
    case LONG_BINPUT: return put(m, 4);
    case BINGET: return get(m, 1);
    case LONG_BINGET: return get(m, 4);
    case BINPERSID: return do_persistent_id(m);
    case REDUCE: return do_reduce(m);
    case BUILD: return do_build(m);
    case STOP: break; /* not here: it ends the loop */
    }
    char problem[64];
    if (byte > ' ' && byte < 0x7F)
        snprintf(problem, sizeof problem, "opcode '%c' (0x%02x) is not accepted", byte, byte);
    else
        snprintf(problem, sizeof problem, "opcode 0x%02x is not accepted", byte);
    return fail_here(m, problem);
}

/* The tensors of the top dict; of one name the last, as in Python. */
static int collect(mur_state_dict *out, machine *m)
{
    if (m->stack.n != 1 || m->stack.ptr[0].kind != A_DICT)
        return fail_here(m, "it is not one dict");
    out->tensors = mur_alloc(m->n_items + 1, sizeof *out->tensors);
    for (size_t i = 0; i < m->n_items; i++)
        if (m->items[i].dict == m->stack.ptr[0].number)
            out->tensors[mur_map_add(&out->names, m->items[i].name, NULL)] = m->tensors[m->items[i].tensor];
    if (out->names.n_keys == 0)
        return fail_here(m, "its dict holds no tensors (those of a checkpoint of a training may be one level deeper)");
    return 0;
}

int mur_pickle_read(mur_state_dict *out, mur_view pickle, const char *what)
{
    *out = (mur_state_dict){0};
    machine m = {.what = what, .pickle = pickle};
    int rc = 0;
    bool is_over = false;
    while (rc == 0 && !is_over) {
        unsigned char byte = m.at < pickle.len ? (unsigned char)pickle.ptr[m.at] : 0;
        if (m.at++ >= pickle.len)
            rc = fail_here(&m, "it ends without STOP");
        else if (byte == STOP)
            is_over = true;
        else
            rc = step(&m, byte);
    }
    if (rc == 0)
        rc = collect(out, &m);
    free(m.stack.ptr);
    free(m.memo.ptr);
    free(m.tuples.ptr);
    free(m.storages);
    free(m.tensors);
    free(m.items);
    if (rc < 0)
        mur_state_dict_clear(out);
    return rc;
}

void mur_state_dict_clear(mur_state_dict *s)
{
    mur_map_clear(&s->names);
    free(s->tensors);
    *s = (mur_state_dict){0};
}
