/* Descriptors of frames and their derivatives: the functions that Python calls.
 *
 * Work goes block by block. The centres of a block (a few small frames, or a part of a large one) have their
 * neighbours grouped, the groups sorted so that lanes hold groups alike, the coefficients summed in a buffer
 * that stays in the cache, and the block's features written. Memory does not grow with the frames. */
#include <pthread.h>
#include "reader.h"
#include "work.h"

enum { COEFFICIENTS, POWER_SPECTRUM };
enum { FINE, NO_MEMORY, FLAT_CELL, TOO_MANY_IMAGES, NO_THREADS };

#define BLOCK 96     /* centres */
#define COUNTS 128   /* groups with more pairs count as equal in sorting */
#define IMAGES 1e7   /* cells around a centre: more means a cell far smaller than any real one */

static int enter_box(Box *box, const Particles *p, int64_t frame, double cutoff)
{
    const int *reach = box->reach;

    if (!box_of(box, p, frame, cutoff))
        return FLAT_CELL;
    if ((2.0 * reach[0] + 1) * (2.0 * reach[1] + 1) * (2.0 * reach[2] + 1) > IMAGES)
        return TOO_MANY_IMAGES;
    return FINE;
}

static int enter_frame(Work *w, const Basis *b, const Particles *p, int64_t frame)
{
    if (w->frame == frame)
        return FINE;
    for (int64_t i = p->start[frame]; i < p->start[frame + 1]; i++)
        body_of(w->nb.bodies + i - p->start[frame], p, i, b);

    w->frame = frame;
    return enter_box(&w->nb.box, p, frame, b->cutoff);
}

/* Groups of all centres of the segments s to e. */
static int gather(Work *w, const Basis *b, const Particles *p, const Task *t, int64_t s, int64_t e)
{
    const int own = t->output == POWER_SPECTRUM; /* invariant, so each centre may use its own axes */
    w->nb.group_count = w->nb.pair_count = 0;
    int64_t row = 0;

    for (; s < e; s++) {
        const int64_t frame = t->frame[s], start = p->start[frame];
        const int status = enter_frame(w, b, p, frame);

        if (status != FINE)
            return status;
        for (int64_t i = t->from[s]; i < t->from[s + 1]; i++, row++) {
            const int64_t opened = w->nb.group_count;
            if (!find(&w->nb, i - start, p->start[frame + 1] - start, b->cutoff * b->cutoff, t->self_pairs))
                return NO_MEMORY;
            fade(&w->nb, b);
            if (!group(&w->nb, p, frame, i - start, row, own))
                return NO_MEMORY;
            for (int64_t g = opened; g < w->nb.group_count; g++)
                t->found[i * p->species_count + p->species[w->nb.groups[g].particle]]++;
        }
    }
    return FINE;
}

/* By kind, then by number of pairs: lanes of a batch end together. */
static int sort_groups(Work *w)
{
    int64_t place[KINDS * COUNTS + 1] = {0};
    const int64_t count = w->nb.group_count;

    if (!grow((void **)&w->order, &w->order_room, count, sizeof(int)))
        return 0;

#define KEY(g) ((g)->kind * COUNTS + ((g)->count < COUNTS ? (g)->count : COUNTS - 1))
    for (int64_t i = 0; i < count; i++)
        place[KEY(w->nb.groups + i) + 1]++;
    for (int k = 0; k < KINDS * COUNTS; k++)
        place[k + 1] += place[k];
    for (int64_t i = 0; i < count; i++)
        w->order[place[KEY(w->nb.groups + i)]++] = i;
    return 1;
}

/* The next groups in order that can share lanes, from `i`; their number. */
static int next_batch(const Work *w, int64_t i, const Group *groups[LANES])
{
    int lanes = 0;

    while (lanes < LANES && i + lanes < w->nb.group_count) {
        const Group *g = w->nb.groups + w->order[i + lanes];
        if (lanes && g->kind != groups[0]->kind)
            break;
        groups[lanes++] = g;
    }
    return lanes;
}

/* The sums over neighbours of all centres of the block, in w->values. */
static void sum_block(Work *w, const Basis *b, const Particles *p, int64_t centres)
{
    const Group *groups[LANES];
    int lanes;

    memset(w->values, 0, (size_t)(centres + LANES) * p->species_count * b->row * sizeof(double));
    for (int64_t i = 0; i < w->nb.group_count; i += lanes) {
        lanes = next_batch(w, i, groups);
        add_batch(&w->batch, b, groups, lanes, &w->nb, p->species, p->species_count, w->values);
    }
}

/* From w->values, which now hold cotangents, to the particles. */
static void differentiate_block(Work *w, const Particles *p, const Derivatives *to)
{
    const Group *groups[LANES];
    int lanes;

    for (int64_t i = 0; i < w->nb.group_count; i += lanes) {
        lanes = next_batch(w, i, groups);
        differentiate_batch(&w->backward, groups, lanes, &w->nb, p->species, p->species_count, w->values, to);
    }
}

/* Orthonormal coefficients of LANES centres from the row `first`: [l][m][species, k]. */
static void orthonormal_lanes(Work *w, const Basis *b, int64_t species, int64_t first)
{
    for (int64_t s = 0; s < species; s++) {
        const double *rows[LANES];
        V *c = w->c;

        for (int k = 0; k < LANES; k++)
            rows[k] = w->values + ((first + k) * species + s) * b->row;
        from_rows(w->lanes, rows, b->row);

        for (int l = 0; l <= b->lmax; l++) {
            const int K = b->kept[l], channels = species * K;
            orthonormalise(b->moments[l], c + s * K, w->lanes + b->offset[l],
                           b->mixing + l * b->stride * b->stride, b->stride, K, l, channels);
            c += (2 * l + 1) * channels;
        }
    }
}

/* Rows of the output from lanes, scaled, added to what is there or put in its place. */
static void write_rows(const V *lanes, double *const rows[], const double *scale, const int *adds, int count,
                       int64_t width)
{
    for (int64_t j = 0; j + LANES <= width; j += LANES) {
        V t[LANES];
        for (int k = 0; k < LANES; k++)
            t[k] = lanes[j + k];
        transpose(t);
        for (int k = 0; k < count; k++)
            store(rows[k] + j, adds[k] ? load(rows[k] + j) + scale[k] * t[k] : scale[k] * t[k]);
    }
    for (int64_t j = width / LANES * LANES; j < width; j++)
        for (int k = 0; k < count; k++)
            rows[k][j] = scale[k] * lanes[j][k] + (adds[k] ? rows[k][j] : 0);
}

/* Features of the block of segments s to e. */
static void write_block(Work *w, const Basis *b, const Particles *p, const Task *t, int64_t s, int64_t e)
{
    const int64_t first = t->from[s], end = t->from[e];

    for (int64_t k = s; k < e && !t->per_centre; k++)
        if (t->from[k] == t->from[k + 1])
            memset(t->out + k * t->width, 0, t->width * sizeof(double));

    for (int64_t i = first; i < end; i += LANES) {
        const int count = end - i < LANES ? end - i : LANES;
        double *rows[LANES], scale[LANES];
        int adds[LANES];

        for (int k = 0; k < count; k++) {
            while (i + k >= t->from[s + 1])
                s++;
            rows[k] = t->out + (t->per_centre ? i + k : s) * t->width;
            scale[k] = t->per_centre ? 1 : 1.0 / (p->start[t->frame[s] + 1] - p->start[t->frame[s]]);
            adds[k] = !t->per_centre && i + k > t->from[s];
        }

        orthonormal_lanes(w, b, p->species_count, i - first);
        MARK(ORTHONORMALISE);
        V *c = w->c, *P = w->P;
        for (int l = 0; l <= b->lmax && t->output == POWER_SPECTRUM; l++) {
            const int channels = p->species_count * b->kept[l];
            products(P, c, l, channels);
            c += (2 * l + 1) * channels;
            P += channels * channels;
        }
        MARK(PRODUCTS);
        write_rows(t->output == POWER_SPECTRUM ? w->P : w->c, rows, scale, adds, count, t->width);
        MARK(WRITE);
    }
}

/* Cotangents of LANES centres by features become those by primitive coefficients, in place of these. */
static void cotangent_lanes(Work *w, const Basis *b, const Particles *p, const Task *t, int64_t first,
                            const double *const cotangent[LANES], int count)
{
    const int64_t species = p->species_count, padded = UP(t->width);
    const double *from[LANES];
    const int adds[LANES] = {0};
    double scale[LANES];

    for (int k = 0; k < LANES; k++) {
        from[k] = w->padded + k * padded;
        scale[k] = 1;
        if (k < count)
            memcpy(w->padded + k * padded, cotangent[k], t->width * sizeof(double));
    }
    from_rows(w->P, from, padded);

    const V *G = w->P, *c = w->c;
    V *d = w->d;
    for (int l = 0; l <= b->lmax; l++) {
        const int channels = species * b->kept[l], size = (2 * l + 1) * channels;
        if (t->output == POWER_SPECTRUM)
            products_backward(d, G, c, l, channels);
        else
            memcpy(d, G, size * sizeof(V));
        G += t->output == POWER_SPECTRUM ? channels * channels : size;
        c += size;
        d += size;
    }

    for (int64_t s = 0; s < species; s++) {
        double *rows[LANES];
        const V *e = w->d;

        for (int l = 0; l <= b->lmax; l++) {
            const int K = b->kept[l];
            unmix(b->moments[l], w->lanes + b->offset[l], e + s * K, b->mixing + l * b->stride * b->stride,
                  b->stride, K, l, species * K);
            e += (2 * l + 1) * species * K;
        }
        for (int k = 0; k < count; k++)
            rows[k] = w->values + ((first + k) * species + s) * b->row;
        write_rows(w->lanes, rows, scale, adds, count, b->values);
    }
}

/* The same for the block of segments s to e. */
static void cotangent_block(Work *w, const Basis *b, const Particles *p, const Task *t, int64_t s, int64_t e)
{
    const int64_t first = t->from[s], end = t->from[e];

    for (int64_t i = first; i < end; i += LANES) {
        const int count = end - i < LANES ? end - i : LANES;
        const double *rows[LANES];

        for (int k = 0; k < count; k++) {
            while (i + k >= t->from[s + 1])
                s++;
            rows[k] = t->cotangent + (t->per_centre ? i + k : t->frame[s]) * t->width;
        }
        orthonormal_lanes(w, b, p->species_count, i - first);
        cotangent_lanes(w, b, p, t, i - first, rows, count);
    }
}

/* The block of segments s to e; with `to` its derivatives, too. */
static int run_block(Work *w, const Basis *b, const Particles *p, const Task *t, const Derivatives *to, int64_t s,
                     int64_t e)
{
    const int status = gather(w, b, p, t, s, e);

    if (status != FINE)
        return status;
    if (!sort_groups(w))
        return NO_MEMORY;
    MARK(NEIGHBOURS);

    sum_block(w, b, p, t->from[e] - t->from[s]);
    write_block(w, b, p, t, s, e);
    if (to) {
        cotangent_block(w, b, p, t, s, e);
        differentiate_block(w, p, to);
    }
    return FINE;
}

/* The end of the block that begins with segment `s`: BLOCK centres, or the thread's share of those that are left
 * when that is less, so that threads end together. */
static int64_t block_end(const Task *t, int64_t s, int64_t end)
{
    const int64_t share = (t->from[t->segments] - t->from[s]) / t->threads;
    const int64_t most = share < BLOCK ? share : BLOCK;
    int64_t e = s + 1;

    while (e < end && t->from[e + 1] - t->from[s] <= most)
        e++;
    return e;
}

/* The next block that no thread has taken, or with `whole_frames` that and the rest of its last frame. Returns
 * 0 when there is none. */
static int take(Task *t, int whole_frames, int64_t *s, int64_t *e)
{
    *s = __atomic_load_n(&t->next, __ATOMIC_RELAXED);

    do {
        if (*s >= t->segments)
            return 0;
        *e = block_end(t, *s, t->segments);
        while (whole_frames && *e < t->segments && t->frame[*e] == t->frame[*e - 1])
            ++*e;
    } while (!__atomic_compare_exchange_n(&t->next, s, *e, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return 1;
}

/* Nothing more is taken. */
static void stop(Task *t)
{
    __atomic_store_n(&t->next, t->segments, __ATOMIC_RELAXED);
}

/* Centres of the largest block, at most. */
static int64_t largest_block(const Task *t)
{
    const int64_t total = t->from[t->segments] - t->from[0];
    int64_t longest = 0;

    for (int64_t s = 0; s < t->segments; s++)
        longest = t->from[s + 1] - t->from[s] > longest ? t->from[s + 1] - t->from[s] : longest;
    return total < BLOCK + longest ? total : BLOCK + longest;
}

/* One of the threads of a task, and how it ended. */
typedef struct {
    pthread_t id;
    const Basis *basis, *wider;
    const Particles *particles;
    Task *task;
    const Derivatives *to;
    int64_t room; /* centres of the largest block */
    int64_t frame; /* the last one */
    int status;
} Thread;

/* Take block by block until none is left, or until a thread fails. */
static void *work(void *argument)
{
    Thread *thread = argument;
    const Basis *b = thread->basis;
    const Particles *p = thread->particles;
    Task *t = thread->task;
    Work w;
    int64_t s, end;
    int status = open_work(&w, b, thread->wider, p, t, thread->room) ? FINE : NO_MEMORY;

    START();
    while (status == FINE && take(t, thread->to != NULL, &s, &end))
        while (s < end && status == FINE) {
            const int64_t e = block_end(t, s, end);
            status = run_block(&w, b, p, t, thread->to, s, e);
            s = e;
        }
    if (status != FINE)
        stop(t);

    thread->status = status;
    thread->frame = w.frame;
    close_work(&w);
    return NULL;
}

/* Compute a task, and derivatives when `to` is not NULL: `wider` is the basis that these need. They are added up
 * by particle, so a frame is then the work of one thread; its mean is differentiated as the sum over its centres.
 * This thread is one of those that work. Returns one of the codes above. */
int anisweep_run(const Basis *b, const Basis *wider, const Particles *p, Task *t, const Derivatives *to)
{
    Thread *threads = calloc(t->threads, sizeof(Thread));
    const int64_t room = largest_block(t);
    int64_t started = 1;
    int status = FINE;

    if (!threads)
        return NO_MEMORY;
    for (int64_t i = 0; i < t->threads; i++)
        threads[i] = (Thread){.basis = b, .wider = wider, .particles = p, .task = t, .to = to, .room = room};

    while (started < t->threads && !pthread_create(&threads[started].id, NULL, work, &threads[started]))
        started++;
    if (started < t->threads) {
        status = NO_THREADS;
        stop(t);
    }
    work(&threads[0]);

    for (int64_t i = 0; i < started; i++) {
        if (i > 0)
            pthread_join(threads[i].id, NULL);
        if (status == FINE) {
            status = threads[i].status;
            t->failed_frame = threads[i].frame;
        }
    }
    free(threads);
    return status;
}

/* Cells between a centre and a neighbour: r = x_j - x_i + sum_k cells[k] h_k. */
static void cells_of(int64_t cells[3], const Box *box, const double *from, const double *to, const double r[3])
{
    double lattice[3];

    for (int x = 0; x < 3; x++)
        lattice[x] = r[x] - (to[x] - from[x]);
    for (int k = 0; k < 3; k++)
        cells[k] = box->periodic[k] ? llround(dot(box->inverse[k], lattice)) : 0;
}

/* All pairs within the cutoff in the frames `first` to `end`, centre by centre: centre, neighbour and the cells
 * between them. At most `room` are written; `count` is how many there are. Returns one of the codes above. */
int anisweep_pairs(const Particles *p, int64_t first, int64_t end, double cutoff, int64_t self_pairs,
                   int64_t room, int64_t (*pairs)[5], int64_t *count, int64_t *failed_frame)
{
    Neighbours nb;
    int status = open_neighbours(&nb, p, most_particles(p, first, end)) ? FINE : NO_MEMORY;
    *count = 0;

    for (int64_t f = first; f < end && status == FINE; f++) {
        const int64_t start = p->start[f], n = p->start[f + 1] - start;
        *failed_frame = f;
        status = enter_box(&nb.box, p, f, cutoff);

        for (int64_t i = 0; i < n && status == FINE; i++) {
            const double *centre = p->positions + 3 * (start + i);
            if (!find(&nb, i, n, cutoff * cutoff, self_pairs))
                status = NO_MEMORY;

            for (int64_t k = 0; k < nb.found_count && status == FINE; k++, ++*count) {
                const int64_t j = start + nb.found[k].particle;
                if (*count >= room)
                    continue;
                pairs[*count][0] = start + i;
                pairs[*count][1] = j;
                cells_of(pairs[*count] + 2, &nb.box, centre, p->positions + 3 * j, nb.found[k].r);
            }
        }
    }
    close_neighbours(&nb);
    return status;
}

/* The best level that this CPU can run: 2 for AVX-512, 1 for AVX2, 0 for what every CPU has. */
int anisweep_cpu_level(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return 1;
#endif
    return 0;
}

/* Which sources this was compiled from: see library.py. */
const char *anisweep_source(void)
{
    return ANISWEEP_SOURCE;
}
