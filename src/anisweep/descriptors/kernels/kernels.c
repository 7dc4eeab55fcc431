/* Descriptors of frames and their derivatives: the functions that Python calls.
 *
 * Work goes block by block. The centres of a block (a few small frames, or a part of a large one) have their
 * neighbours grouped, the groups sorted so that lanes hold groups alike, the coefficients summed in a buffer
 * that stays in the cache, and the block's features written. Memory does not grow with the frames. */
#include <pthread.h>
#include "reader.h"
#include "work.h"
#include "layout.h"

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

/* Whether rows of the Jacobian are asked of a particle of a frame, or everything is computed. */
static int is_wanted(const Chosen *chosen, const Particles *p, int64_t frame)
{
    int wanted = !chosen;

    for (int64_t i = p->start[frame]; i < p->start[frame + 1] && !wanted; i++)
        wanted = chosen->record[i] >= 0;
    return wanted;
}

/* Groups of all centres of the segments s to e; of frames that are not wanted there are none. */
static int gather(Work *w, const Basis *b, const Particles *p, const Task *t, const Chosen *chosen, int64_t s,
                  int64_t e)
{
    const int own = t->output != COEFFICIENTS; /* invariant, so each centre may use its own axes */
    w->nb.group_count = w->nb.pair_count = 0;
    int64_t row = 0;

    for (; s < e; s++) {
        const int64_t frame = t->frame[s], start = p->start[frame];
        const int status = enter_frame(w, b, p, frame);

        if (status != FINE)
            return status;
        if (!is_wanted(chosen, p, frame)) {
            row += t->from_particle[s + 1] - t->from_particle[s];
            continue;
        }
        for (int64_t i = t->from_particle[s]; i < t->from_particle[s + 1]; i++, row++) {
            const int64_t opened = w->nb.group_count;
            if (!find(&w->nb, i - start, p->start[frame + 1] - start, b->cutoff * b->cutoff, t->self_pairs))
                return NO_MEMORY;
            fade(&w->nb, b);
            if (!group(&w->nb, p, frame, i - start, row, own))
                return NO_MEMORY;
            for (int64_t g = opened; g < w->nb.group_count; g++)
                t->found[i * p->species_count + p->species[w->nb.groups[g].particle]]++;
            if (t->output == PAIR_FEATURES && !add_own(&w->nb, p, frame, i - start, row))
                return NO_MEMORY;
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
    w->neighbours = place[OWN * COUNTS];
    for (int64_t i = 0; i < count; i++)
        w->order[place[KEY(w->nb.groups + i)]++] = i;
    return 1;
}

/* The next of `count` groups in order that can share lanes, from `i`; their number. */
static int next_batch(const Neighbours *nb, const int *order, int64_t count, int64_t i, const Group *groups[LANES])
{
    int lanes = 0;

    while (lanes < LANES && i + lanes < count) {
        const Group *g = nb->groups + order[i + lanes];
        if (lanes && g->kind != groups[0]->kind)
            break;
        groups[lanes++] = g;
    }
    return lanes;
}

/* Bytes of the sums of so many centres. */
static size_t bytes_of(const Basis *b, const Particles *p, int64_t centres)
{
    return (size_t)(centres + LANES) * p->species_count * b->row * sizeof(real);
}

/* The values of the groups `from` to `end` in order, added up by centre in `sums`. */
static void sum_groups(Work *w, const Basis *b, const Particles *p, real *sums, int64_t from, int64_t end)
{
    const Group *groups[LANES];
    int lanes;

    for (int64_t i = from; i < end; i += lanes) {
        lanes = next_batch(&w->nb, w->order, end, i, groups);
        add_batch(&w->batch, b, groups, lanes, &w->nb, p->species, p->species_count, sums);
    }
}

/* The sums over neighbours of all centres of the block, in w->values, and their own densities. */
static void sum_block(Work *w, const Basis *b, const Particles *p, int64_t centres)
{
    memset(w->values, 0, bytes_of(b, p, centres));
    sum_groups(w, b, p, w->values, 0, w->neighbours);

    if (w->neighbours < w->nb.group_count) {
        memset(w->own, 0, bytes_of(b, p, centres));
        sum_groups(w, b, p, w->own, w->neighbours, w->nb.group_count);
    }
}

/* The same sums, and those of what the values change by in `changes`. */
static void change_groups(Work *w, const Particles *p, const Directions *v, real *sums, real *changes,
                          int64_t from, int64_t end)
{
    const Group *groups[LANES];
    int lanes;

    for (int64_t i = from; i < end; i += lanes) {
        lanes = next_batch(&w->nb, w->order, end, i, groups);
        change_batch(&w->tangent, groups, lanes, &w->nb, p->species, p->species_count, v, sums, changes);
    }
}

/* Those of the block. */
static void change_block(Work *w, const Basis *b, const Particles *p, const Directions *v, int64_t centres)
{
    memset(w->values, 0, bytes_of(b, p, centres));
    memset(w->changes, 0, bytes_of(b, p, centres));
    change_groups(w, p, v, w->values, w->changes, 0, w->neighbours);

    if (w->neighbours < w->nb.group_count) {
        memset(w->own, 0, bytes_of(b, p, centres));
        memset(w->own_changes, 0, bytes_of(b, p, centres));
        change_groups(w, p, v, w->own, w->own_changes, w->neighbours, w->nb.group_count);
    }
}

/* From cotangents, which are now where the sums were, to the particles: the groups `from` to `end`. */
static void differentiate_groups(Work *w, const Particles *p, const Derivatives *to, const real *cotangents,
                                 int64_t from, int64_t end)
{
    const Group *groups[LANES];
    int lanes;

    for (int64_t i = from; i < end; i += lanes) {
        lanes = next_batch(&w->nb, w->order, end, i, groups);
        differentiate_batch(&w->backward, groups, lanes, &w->nb, p->species, p->species_count, cotangents, to);
    }
}

/* Orthonormal coefficients of LANES centres, from their sums for the first species on: [l][m][species, k]. */
static void orthonormal_lanes(Work *w, V *to, const real *const sums[LANES], const Basis *b, int64_t species)
{
    for (int64_t s = 0; s < species; s++) {
        const real *rows[LANES];
        V *c = to;

        for (int k = 0; k < LANES; k++)
            rows[k] = sums[k] + s * b->row;
        from_rows(w->lanes, rows, b->row);

        for (int l = 0; l <= b->lmax; l++) {
            const int K = b->kept[l], channels = species * K;
            mix_any(b->moments[l], c + s * K, channels, w->lanes + b->offset[l], b->moments[l],
                    (Matrix){b->mixing + l * b->stride * b->stride, b->stride, 1}, K, l);
            c += (2 * l + 1) * channels;
        }
    }
}

/* Rows of the output from lanes, scaled, added to what is there or put in its place. */
static void write_rows(const V *lanes, real *const rows[], const real *scale, const int *adds, int count,
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

/* Pair features from own densities and coefficients, put in w->P or added to what is there. */
static void pair_lanes(Work *w, const Basis *b, int64_t species, const V *own, const V *c, int add)
{
    V *P = w->P;

    for (int l = 0; l <= b->lmax; l++) {
        const int K = b->kept[l], channels = species * K;

        if (l % 2 == 0) {
            own_products(P, own, c, l, channels, K, add);
            P += channels;
        }
        own += (2 * l + 1) * channels;
        c += (2 * l + 1) * channels;
    }
}

/* Features of LANES centres, from their coefficients in w->c, and their own densities in w->s. */
static const V *feature_lanes(Work *w, const Basis *b, int64_t species, int64_t output)
{
    V *c = w->c, *P = w->P;

    if (output == COEFFICIENTS)
        return c;
    if (output == PAIR_FEATURES)
        pair_lanes(w, b, species, w->s, c, 0);
    for (int l = 0; l <= b->lmax && output == POWER_SPECTRUM; l++) {
        const int channels = species * b->kept[l];
        products(P, c, l, channels);
        c += (2 * l + 1) * channels;
        P += channels * channels;
    }
    MARK(PRODUCTS);
    return w->P;
}

/* What they change by, where the coefficients change by w->d. */
static const V *change_lanes(Work *w, const Basis *b, int64_t species, int64_t output)
{
    V *P = w->P, *c = w->c, *d = w->d;

    if (output == COEFFICIENTS)
        return d;
    if (output == PAIR_FEATURES)
        pair_lanes(w, b, species, w->s, d, 0);
    for (int l = 0; l <= b->lmax && output == POWER_SPECTRUM; l++) {
        const int channels = species * b->kept[l];
        changes_of_products(P, w->pair, c, d, l, channels);
        c += (2 * l + 1) * channels;
        d += (2 * l + 1) * channels;
        P += channels * channels;
    }
    return w->P;
}

/* Orthonormal coefficients of the centres with these rows in the block. */
static void orthonormal_rows(Work *w, V *to, const real *sums, const Basis *b, int64_t species, const int64_t *index)
{
    const real *rows[LANES];

    for (int k = 0; k < LANES; k++)
        rows[k] = sums + index[k] * species * b->row;
    orthonormal_lanes(w, to, rows, b, species);
}

/* Coefficients of the centres in w->c, and their own densities in w->s. */
static void coefficients_of(Work *w, const Basis *b, int64_t species, int64_t output, const int64_t *index)
{
    orthonormal_rows(w, w->c, w->values, b, species, index);
    if (output == PAIR_FEATURES)
        orthonormal_rows(w, w->s, w->own, b, species, index);
}

/* What their features change by along a direction. */
static const V *changes_of(Work *w, const Basis *b, int64_t species, int64_t output, const int64_t *index)
{
    orthonormal_rows(w, w->d, w->changes, b, species, index);
    const V *changes = change_lanes(w, b, species, output);

    if (output == PAIR_FEATURES) {
        orthonormal_rows(w, w->ds, w->own_changes, b, species, index);
        pair_lanes(w, b, species, w->ds, w->c, 1);
    }
    return changes;
}

/* LANES rows of the block from `first`. */
static void consecutive(int64_t index[LANES], int64_t first)
{
    for (int k = 0; k < LANES; k++)
        index[k] = first + k;
}

/* Derivatives by features, in w->P, become those by coefficients in w->d, and by the own density in w->ds. */
static void pull_features(Work *w, const Basis *b, int64_t species, int64_t output)
{
    const V *c = w->c, *s = w->s;
    V *G = w->P, *d = w->d, *ds = w->ds;

    for (int l = 0; l <= b->lmax; l++) {
        const int K = b->kept[l], channels = species * K, size = (2 * l + 1) * channels;
        const int64_t pairs = l % 2 ? 0 : channels;
        const int64_t taken = output == COEFFICIENTS ? size : output == POWER_SPECTRUM ? channels * channels : pairs;

        if (output == POWER_SPECTRUM) {
            products_backward(d, G, c, l, channels);
        } else if (output == COEFFICIENTS) {
            memcpy(d, G, size * sizeof(V));
        } else if (taken) {
            own_products_backward(d, ds, G, s, c, l, channels, K);
        } else {
            memset(d, 0, size * sizeof(V));
            memset(ds, 0, size * sizeof(V));
        }
        G += taken;
        c += size;
        d += size;
        if (output == PAIR_FEATURES) {
            s += size;
            ds += size;
        }
    }
}

/* Derivatives by coefficients become those by primitive ones, in place of the sums of LANES centres from the row
 * `first`. */
static void write_cotangents(Work *w, real *sums, const V *d, const Basis *b, int64_t species, int64_t first,
                             int count)
{
    const int adds[LANES] = {0};
    real scale[LANES];

    for (int k = 0; k < LANES; k++)
        scale[k] = 1;
    for (int64_t s = 0; s < species; s++) {
        real *rows[LANES];
        const V *e = d;

        for (int l = 0; l <= b->lmax; l++) {
            const int K = b->kept[l];
            mix_any(K, w->lanes + b->offset[l], b->moments[l], e + s * K, species * K,
                    (Matrix){b->mixing + l * b->stride * b->stride, 1, b->stride}, b->moments[l], l);
            e += (2 * l + 1) * species * K;
        }
        for (int k = 0; k < count; k++)
            rows[k] = sums + ((first + k) * species + s) * b->row;
        write_rows(w->lanes, rows, scale, adds, count, b->values);
    }
}

/* Cotangents of LANES centres by features, times their scales, become those by primitive coefficients, in place of
 * these; `first` is their first row in the block. */
static void cotangent_lanes(Work *w, const Basis *b, const Particles *p, const Task *t, int64_t first,
                            const real *const cotangent[LANES], const real scale[LANES], int count)
{
    const int64_t species = p->species_count, padded = UP(t->width);
    const real *from[LANES];

    for (int k = 0; k < LANES; k++) {
        from[k] = w->padded + k * padded;
        for (int64_t j = 0; j < t->width && k < count; j++)
            w->padded[k * padded + j] = scale[k] * cotangent[k][j];
    }
    from_rows(w->P, from, padded);

    pull_features(w, b, species, t->output);
    write_cotangents(w, w->values, w->d, b, species, first, count);
    if (t->output == PAIR_FEATURES)
        write_cotangents(w, w->own, w->ds, b, species, first, count);
}

/* Features of the block of segments s to e, or what they change by; then, where they are asked for, derivatives by the
 * coefficients in their place. */
static void write_block(Work *w, const Basis *b, const Particles *p, const Task *t, int64_t s, int64_t e)
{
    const int64_t first = t->from_particle[s], end = t->from_particle[e], species = p->species_count;

    for (int64_t k = s; k < e && !t->per_centre; k++)
        if (t->from_particle[k] == t->from_particle[k + 1])
            memset(t->out + k * t->width, 0, t->width * sizeof(real));

    for (int64_t i = first; i < end; i += LANES) {
        const int count = end - i < LANES ? end - i : LANES;
        const real *cotangent[LANES];
        real *rows[LANES], scale[LANES];
        int64_t index[LANES];
        int adds[LANES];

        for (int k = 0; k < count; k++) {
            while (i + k >= t->from_particle[s + 1])
                s++;
            rows[k] = t->out + (t->per_centre ? i + k : s) * t->width;
            cotangent[k] = t->cotangent ? t->cotangent + (t->per_centre ? i + k : t->frame[s]) * t->cotangent_step : NULL;
            scale[k] = t->per_centre ? 1 : 1.0 / (p->start[t->frame[s] + 1] - p->start[t->frame[s]]);
            adds[k] = !t->per_centre && i + k > t->from_particle[s];
        }

        consecutive(index, i - first);
        coefficients_of(w, b, species, t->output, index);
        MARK(ORTHONORMALISE);
        if (w->changes)
            write_rows(changes_of(w, b, species, t->output, index), rows, scale, adds, count, t->width);
        else
            write_rows(feature_lanes(w, b, species, t->output), rows, scale, adds, count, t->width);
        MARK(WRITE);
        if (t->cotangent)
            cotangent_lanes(w, b, p, t, i - first, cotangent, scale, count);
    }
}

/* Where a chosen particle's derivatives of a centre's features go, or NULL. */
static real *record_of(const Chosen *chosen, const Particles *p, const Task *t, int64_t particle, int64_t centre,
                         int64_t frame)
{
    const int64_t record = chosen->record[particle];

    if (record < 0)
        return NULL;
    return chosen->out + (record + (t->per_centre ? centre - p->start[frame] : 0)) * ROWS * t->width;
}

/* The share of a centre in the features of its frame. */
static real share_of(const Particles *p, const Task *t, int64_t frame)
{
    return t->per_centre ? 1 : 1.0 / (p->start[frame + 1] - p->start[frame]);
}

/* The groups that rows of the Jacobian need, into w->needed: of chosen neighbours with other centres, of chosen
 * neighbours and centres, and of chosen centres with others. `end` says where each of the three ends. 0 when there is
 * no memory. */
static int choose(Work *w, const Chosen *chosen, int64_t end[3])
{
    int64_t count = 0;

    if (!grow((void **)&w->needed, &w->needed_room, w->nb.group_count, sizeof(int)))
        return 0;
    for (int part = 0; part < 3; part++) {
        for (int64_t i = 0; i < w->nb.group_count; i++) {
            const Group *g = w->nb.groups + w->order[i];
            const int by_neighbour = chosen->record[g->particle] >= 0, by_centre = chosen->record[g->centre] >= 0;
            if (by_neighbour == (part < 2) && by_centre == (part > 0))
                w->needed[count++] = w->order[i];
        }
        end[part] = count;
    }
    return 1;
}

/* Rows by the neighbours of a batch of groups, to their records. */
static void write_neighbours(Work *w, const Basis *b, const Particles *p, const Task *t, const Chosen *chosen,
                             const Group *const *groups, int lanes)
{
    const int64_t species = p->species_count;
    const int own = groups[0]->kind & OWN;
    const real *changes[LANES];
    real *to[LANES], *rows[LANES], scale[LANES];
    int64_t index[LANES];
    int adds[LANES];

    for (int k = 0; k < LANES; k++) {
        const Group *g = groups[k < lanes ? k : 0];
        changes[k] = w->rows.neighbour + k * species * b->row;
        rows[k] = w->rows.neighbour + (k * species + p->species[g->particle]) * b->row;
        index[k] = g->row;
        to[k] = record_of(chosen, p, t, g->particle, g->centre, g->frame);
        scale[k] = share_of(p, t, g->frame);
        adds[k] = 1;
    }
    coefficients_of(w, b, species, t->output, index);

    for (int r = groups[0]->kind & (EVEN | OWN) ? TURN : POSITION; r < ROWS; r++) {
        real *at[LANES];

        for (int k = 0; k < lanes; k++)
            at[k] = to[k] + r * t->width;
        memset(w->rows.neighbour, 0, LANES * species * b->row * sizeof(real));
        add_to_rows(rows, w->rows.row[r], b->row);
        orthonormal_lanes(w, own ? w->ds : w->d, changes, b, species);
        if (own)
            pair_lanes(w, b, species, w->ds, w->c, 0);
        write_rows(own ? w->P : change_lanes(w, b, species, t->output), at, scale, adds, lanes, t->width);
    }
}

/* A batch of groups, added to what the rows of their centres' positions are minus. */
static void add_to_centres(Work *w, const Basis *b, const Particles *p, const Group *const *groups, int lanes)
{
    for (int r = POSITION; r < TURN; r++) {
        real *rows[LANES];

        for (int k = 0; k < LANES; k++) {
            const Group *g = groups[k < lanes ? k : 0];
            const int64_t place = (g->row * 3 + r) * p->species_count + p->species[g->particle];
            rows[k] = k < lanes ? w->rows.centre + place * b->row : w->rows.batch.waste;
        }
        add_to_rows(rows, w->rows.row[r], b->row);
    }
}

/* Rows by the positions of up to LANES centres, `index` their rows in the block, to their records. */
static void write_centres(Work *w, const Basis *b, const Particles *p, const Task *t, real *const to[LANES],
                          int64_t index[LANES], const real *scale, int lanes)
{
    const int64_t species = p->species_count, size = species * b->row;
    const real *changes[LANES];
    int adds[LANES];

    for (int k = 0; k < LANES; k++) {
        index[k] = index[k < lanes ? k : 0];
        adds[k] = 1;
    }
    coefficients_of(w, b, species, t->output, index);

    for (int r = POSITION; r < TURN; r++) {
        real *at[LANES];

        for (int k = 0; k < LANES; k++)
            changes[k] = w->rows.centre + (3 * index[k] + r) * size;
        for (int k = 0; k < lanes; k++)
            at[k] = to[k] + r * t->width;
        orthonormal_lanes(w, w->d, changes, b, species);
        write_rows(change_lanes(w, b, species, t->output), at, scale, adds, lanes, t->width);
    }
}

/* The same for all chosen centres of the segments s to e. */
static void centre_rows(Work *w, const Basis *b, const Particles *p, const Task *t, const Chosen *chosen, int64_t s,
                        int64_t e)
{
    const int64_t first = t->from_particle[s];
    real *to[LANES], scale[LANES];
    int64_t index[LANES];
    int lanes = 0;

    for (; s < e; s++)
        for (int64_t i = t->from_particle[s]; i < t->from_particle[s + 1]; i++) {
            const int64_t frame = t->frame[s];

            to[lanes] = record_of(chosen, p, t, i, i, frame);
            index[lanes] = i - first;
            scale[lanes] = -share_of(p, t, frame);
            lanes += to[lanes] != NULL;
            if (lanes == LANES) {
                write_centres(w, b, p, t, to, index, scale, lanes);
                lanes = 0;
            }
        }
    if (lanes)
        write_centres(w, b, p, t, to, index, scale, lanes);
}

/* Rows of the Jacobian from the centres of the segments s to e, whose sums are in w->values. */
static int rows_block(Work *w, const Basis *b, const Particles *p, const Task *t, const Chosen *chosen, int64_t s,
                      int64_t e)
{
    const int64_t first = t->from_particle[s], size = 3 * p->species_count * b->row;
    const Group *groups[LANES];
    int64_t end[3];
    int lanes;

    if (!choose(w, chosen, end))
        return NO_MEMORY;
    for (int64_t i = first; i < t->from_particle[e]; i++)
        if (chosen->record[i] >= 0)
            memset(w->rows.centre + (i - first) * size, 0, size * sizeof(real));

    for (int64_t i = 0; i < end[2]; i += lanes) {
        const int part = i < end[0] ? 0 : i < end[1] ? 1 : 2;
        lanes = next_batch(&w->nb, w->needed, end[part], i, groups);
        const int own = groups[0]->kind & (EVEN | OWN);

        rows_of(&w->rows, groups, lanes, &w->nb, own ? TURN : POSITION, part < 2 ? ROWS : TURN);
        if (part < 2)
            write_neighbours(w, b, p, t, chosen, groups, lanes);
        if (part > 0 && !own)
            add_to_centres(w, b, p, groups, lanes);
    }
    centre_rows(w, b, p, t, chosen, s, e);
    return FINE;
}

/* The block of segments s to e. */
static int run_block(Work *w, const Call *call, int64_t s, int64_t e)
{
    const Basis *b = call->basis;
    const Particles *p = call->particles;
    const Task *t = call->task;
    const int status = gather(w, b, p, t, call->chosen, s, e);

    if (status != FINE)
        return status;
    if (!sort_groups(w))
        return NO_MEMORY;
    MARK(NEIGHBOURS);

    if (call->v)
        change_block(w, b, p, call->v, t->from_particle[e] - t->from_particle[s]);
    else
        sum_block(w, b, p, t->from_particle[e] - t->from_particle[s]);
    if (call->chosen)
        return rows_block(w, b, p, t, call->chosen, s, e);

    write_block(w, b, p, t, s, e);
    if (call->to) {
        differentiate_groups(w, p, call->to, w->values, 0, w->neighbours);
        differentiate_groups(w, p, call->to, w->own, w->neighbours, w->nb.group_count);
    }
    return FINE;
}

/* The end of the block that begins with segment `s`: BLOCK centres, or the thread's share of those that are left
 * when that is less, so that threads end together. */
static int64_t block_end(const Task *t, int64_t s, int64_t end)
{
    const int64_t share = (t->from_particle[t->segments] - t->from_particle[s]) / t->threads;
    const int64_t most = share < BLOCK ? share : BLOCK;
    int64_t e = s + 1;

    while (e < end && t->from_particle[e + 1] - t->from_particle[s] <= most)
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
    const int64_t total = t->from_particle[t->segments] - t->from_particle[0];
    int64_t longest = 0;

    for (int64_t s = 0; s < t->segments; s++)
        longest = t->from_particle[s + 1] - t->from_particle[s] > longest ? t->from_particle[s + 1] - t->from_particle[s] : longest;
    return total < BLOCK + longest ? total : BLOCK + longest;
}

/* One of the threads of a task, and how it ended. */
typedef struct {
    pthread_t id;
    const Call *call;
    int64_t room; /* centres of the largest block */
    int64_t frame; /* the last one */
    int status;
} Thread;

/* Take block by block until none is left, or until a thread fails. */
static void *work(void *argument)
{
    Thread *thread = argument;
    const Call *call = thread->call;
    const int whole_frames = call->to || call->chosen;
    Task *t = call->task;
    Work w;
    int64_t s, end;
    int status = open_work(&w, call, thread->room) ? FINE : NO_MEMORY;

    START();
    while (status == FINE && take(t, whole_frames, &s, &end))
        while (s < end && status == FINE) {
            const int64_t e = block_end(t, s, end);
            status = run_block(&w, call, s, e);
            s = e;
        }
    if (status != FINE)
        stop(t);

    thread->status = status;
    thread->frame = w.frame;
    close_work(&w);
    return NULL;
}

/* Compute a task: features, with derivatives by all particles when `to` is not NULL; or with `v` what features change
 * by; or derivatives by `chosen` particles. `wider` is the basis that derivatives need. They are added up by particle,
 * but for `v`, so a frame is then the work of one thread; its mean is differentiated as the sum over its centres.
 * This thread is one of those that work. Returns one of the codes above. */
int anisweep_run(const Basis *b, const Basis *wider, const Particles *p, Task *t, const Derivatives *to,
                 const Directions *v, const Chosen *chosen)
{
    const Call call = {.basis = b, .wider = wider, .particles = p, .task = t, .to = to, .v = v, .chosen = chosen};
    Thread *threads = calloc(t->threads, sizeof(Thread));
    const int64_t room = largest_block(t);
    int64_t started = 1;
    int status = FINE;

    if (!threads)
        return NO_MEMORY;
    for (int64_t i = 0; i < t->threads; i++)
        threads[i] = (Thread){.call = &call, .room = room};

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

/* Which sources this was compiled from: see loader.py. */
const char *anisweep_source(void)
{
    return ANISWEEP_SOURCE;
}
