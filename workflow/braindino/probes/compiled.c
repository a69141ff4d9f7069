/* An epoch of one head LayerNorm, Linear + GELU, Linear under Adam (torch's defaults).
 *
 * A step goes once through the weights of the first layer and their moments, which is all that has
 * to move: while a row is in the nearest cache, its gradient is formed from the few samples of the
 * batch, Adam moves it, and it enters the next step's forward pass. No gradient is stored.
 * DIM, HIDDEN, OUTPUTS, BATCH, ALPHA and DELTA come with the compiler's command. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define EACH(n, count) for (int n = 0; n < count; n++)

enum { CROSS_ENTROPY, SQUARED_ERROR, LOG_MIXED };

typedef float Hidden[HIDDEN];
typedef struct { /* as braindino.probes.head.Heads lays one head out */
    float scale[DIM], shift[DIM];
    Hidden weight1[DIM], bias1;
    float weight2[HIDDEN][OUTPUTS], bias2[OUTPUTS];
} Head;
typedef struct { float step, root, decay, keep; } Rate;
typedef struct { const float *x[BATCH], *targets, *weights, *keep; } Batch;

static inline void adam(float *w, float *m, float *v, float g, Rate rate) {
    g += rate.decay * *w;
    *m = 0.9f * *m + 0.1f * g;
    *v = 0.999f * *v + 0.001f * g * g;
    *w = rate.keep * *w - rate.step * *m / (sqrtf(*v) * rate.root + 1e-8f);
}

static Rate rate_of(double step, double lr, double decay, int decoupled) {
    Rate rate = {lr / (1 - pow(0.9, step)), 1 / sqrt(1 - pow(0.999, step)), decay, 1};
    if (decoupled) rate.decay = 0, rate.keep = 1 - lr * decay;
    return rate;
}

/* The derivative of a sample's loss by the head's outputs. */
static void slope_of(const float *out, float target, int loss, float *slope) {
    float d = out[0] - target, sign = (d > 0) - (d < 0), top = out[0], sum = 0;
    if (loss == SQUARED_ERROR) {
        slope[0] = 2 * d;
    } else if (loss == LOG_MIXED) {
        float huber = fabsf(d) < DELTA ? d : DELTA * sign;
        slope[0] = 2 * ALPHA * d + (1 - ALPHA) * 0.5f * (sign + huber);
    } else {
        EACH(k, OUTPUTS) top = fmaxf(top, out[k]);
        EACH(k, OUTPUTS) sum += slope[k] = expf(out[k] - top);
        EACH(k, OUTPUTS) slope[k] = slope[k] / sum - (k == (int)target);
    }
}

/* From what enters GELU up to the loss, and down again to `back`; moves all above the first layer. */
static void upper(Head *w, Head *m, Head *v, const Hidden *before, Batch b, int loss, Rate rate,
                  Hidden *back) {
    static Hidden active[BATCH], slant[BATCH];
    float slope[BATCH][OUTPUTS], total[OUTPUTS] = {0};
    EACH(n, BATCH) {
        float out[OUTPUTS];
        memcpy(out, w->bias2, sizeof out);
        EACH(h, HIDDEN) {
            float z = before[n][h] + w->bias1[h], keep = b.keep ? b.keep[n * HIDDEN + h] : 1;
            float cdf = 0.5f + 0.5f * erff(z * 0.70710678f);
            active[n][h] = z * cdf * keep;
            slant[n][h] = (cdf + z * 0.39894228f * expf(-0.5f * z * z)) * keep;
            EACH(k, OUTPUTS) out[k] += active[n][h] * w->weight2[h][k];
        }
        slope_of(out, b.targets[n], loss, slope[n]);
        EACH(k, OUTPUTS) total[k] += slope[n][k] *= b.weights[n];
    }
    EACH(h, HIDDEN) {
        float bias = 0, g[OUTPUTS] = {0};
        EACH(n, BATCH) {
            float sum = 0;
            EACH(k, OUTPUTS) sum += slope[n][k] * w->weight2[h][k];
            EACH(k, OUTPUTS) g[k] += active[n][h] * slope[n][k];
            bias += back[n][h] = sum * slant[n][h];
        }
        adam(&w->bias1[h], &m->bias1[h], &v->bias1[h], bias, rate);
        EACH(k, OUTPUTS) adam(&w->weight2[h][k], &m->weight2[h][k], &v->weight2[h][k], g[k], rate);
    }
    EACH(k, OUTPUTS) adam(&w->bias2[k], &m->bias2[k], &v->bias2[k], total[k], rate);
}

static void inputs(const Head *w, int i, const float *const *x, float *in) {
    EACH(n, BATCH) in[n] = x[n][i] * w->scale[i] + w->shift[i];
}

/* One row of the first layer: move it by what came `back`, and add it to the `next` batch's. */
static void row(Head *w, Head *m, Head *v, int i, Batch b, Batch next, Rate rate,
                const Hidden *restrict back, Hidden *restrict before) {
    float *restrict wi = w->weight1[i], *restrict mi = m->weight1[i], *restrict vi = v->weight1[i];
    float in[BATCH], out[BATCH], sum[BATCH] = {0}, scale = 0, shift = 0;
    EACH(h, HIDDEN) EACH(n, BATCH) sum[n] += back[n][h] * wi[h];
    EACH(n, BATCH) scale += sum[n] * b.x[n][i], shift += sum[n];
    inputs(w, i, b.x, in);
    adam(&w->scale[i], &m->scale[i], &v->scale[i], scale, rate);
    adam(&w->shift[i], &m->shift[i], &v->shift[i], shift, rate);
    inputs(w, i, next.x, out);
    EACH(h, HIDDEN) {
        float g = 0;
        EACH(n, BATCH) g += in[n] * back[n][h];
        adam(wi + h, mi + h, vi + h, g, rate);
        float moved = wi[h];
        EACH(n, BATCH) before[n][h] += out[n] * moved;
    }
}

/* w, m, v: the head and Adam's moments; normed [rows][DIM]: samples at mean 0 and variance 1; the
 * next three [steps][BATCH]: each step's samples, their targets, and their weights in its mean;
 * keep [steps][BATCH][HIDDEN]: dropout's factors, or none; done: steps of earlier epochs. */
void epoch(Head *w, Head *m, Head *v, const float *normed, const int64_t *rows, const float *targets,
           const float *weights, const float *keep, int64_t steps, int64_t done, int loss,
           double lr, double decay, int decoupled) {
    static Hidden before[BATCH], back[BATCH];
    Batch b, next = {{0}, targets, weights, keep};
    EACH(n, BATCH) next.x[n] = normed + rows[n] * DIM;
    memset(before, 0, sizeof before);
    EACH(i, DIM) {
        float in[BATCH];
        inputs(w, i, next.x, in);
        EACH(h, HIDDEN) EACH(n, BATCH) before[n][h] += in[n] * w->weight1[i][h];
    }
    for (int64_t s = 1; s <= steps; s++) {
        b = next;
        if (s < steps) {
            next = (Batch){{0}, b.targets + BATCH, b.weights + BATCH, b.keep};
            if (b.keep) next.keep += BATCH * HIDDEN;
            EACH(n, BATCH) next.x[n] = normed + rows[s * BATCH + n] * DIM;
        }
        Rate rate = rate_of(done + s, lr, decay, decoupled);
        upper(w, m, v, before, b, loss, rate, back);
        memset(before, 0, sizeof before);
        EACH(i, DIM) row(w, m, v, i, b, next, rate, back, before);
    }
}
