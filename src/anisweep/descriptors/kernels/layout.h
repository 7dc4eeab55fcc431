/* How the structures that Python mirrors lie in memory: see structures.py, which compares. */
#include <stddef.h>

typedef struct {
    const char *name; /* of a member, after its structure's: Basis.lmax; of all of it: Basis */
    int64_t offset, size;
} Member;

#define STRUCTURE(S) {#S, 0, sizeof(S)}
#define MEMBER(S, name) {#S "." #name, offsetof(S, name), sizeof(((S *)0)->name)}

static const Member LAYOUT[] = {
    STRUCTURE(Basis),
    MEMBER(Basis, lmax), MEMBER(Basis, stride), MEMBER(Basis, values), MEMBER(Basis, row),
    MEMBER(Basis, cutoff), MEMBER(Basis, smoothing), MEMBER(Basis, width2), MEMBER(Basis, ordering),
    MEMBER(Basis, moments), MEMBER(Basis, kept), MEMBER(Basis, offset), MEMBER(Basis, norm),
    MEMBER(Basis, mixing), MEMBER(Basis, blocks), MEMBER(Basis, shape), MEMBER(Basis, index),
    MEMBER(Basis, entry),
    MEMBER(Basis, scaled),

    STRUCTURE(Particles),
    MEMBER(Particles, positions), MEMBER(Particles, rotations), MEMBER(Particles, diameters),
    MEMBER(Particles, cells), MEMBER(Particles, periodic), MEMBER(Particles, start),
    MEMBER(Particles, species), MEMBER(Particles, alike), MEMBER(Particles, alike_count),
    MEMBER(Particles, species_count), MEMBER(Particles, matrices), MEMBER(Particles, general),

    STRUCTURE(Task),
    MEMBER(Task, output), MEMBER(Task, self_pairs), MEMBER(Task, per_centre), MEMBER(Task, segments),
    MEMBER(Task, threads), MEMBER(Task, next), MEMBER(Task, frame), MEMBER(Task, from_particle),
    MEMBER(Task, width), MEMBER(Task, out), MEMBER(Task, found), MEMBER(Task, cotangent),
    MEMBER(Task, cotangent_step), MEMBER(Task, failed_frame),

    STRUCTURE(Derivatives),
    MEMBER(Derivatives, positions), MEMBER(Derivatives, rotations), MEMBER(Derivatives, diameters),
    MEMBER(Derivatives, strain),

    STRUCTURE(Directions),
    MEMBER(Directions, displacements), MEMBER(Directions, turns), MEMBER(Directions, strains),

    STRUCTURE(Chosen),
    MEMBER(Chosen, record), MEMBER(Chosen, out),
};

/* All members, and how many there are. */
int64_t anisweep_layout(const Member **members)
{
    *members = LAYOUT;
    return sizeof(LAYOUT) / sizeof(*LAYOUT);
}
