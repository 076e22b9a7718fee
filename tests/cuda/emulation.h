// CUDA for one host thread: enough of it to run emitted kernels under g++ and its sanitizers.
//
// The threads of a block are fibers that run one at a time, from one barrier or shuffle to the next; blocks run one after another. What
// a GPU would leave hanging stops the process with a message: threads that wait for others which have ended or wait elsewhere.
// `emulation::order` says in which order the threads of a block go, so that a result that depends on it shows.
#pragma once

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(threads)

struct Dimensions {
    unsigned x, y, z;
};

static Dimensions threadIdx, blockIdx, blockDim, gridDim;

// Goes on where `to` stopped; comes back when somebody switches to what `*from` becomes. (swapcontext asks the kernel each time.)
extern "C" void emulation_switch(void **from, void *to);
#if defined(__x86_64__)
asm(R"(
    .pushsection .text
emulation_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .popsection
)");
#else
#error "emulation_switch is written for x86-64"
#endif

namespace emulation {

enum { FORWARD, BACKWARD, ODD_FIRST, ORDERS };
static int order = FORWARD;

const int most_threads = 1024, warp_size = 32;
const size_t stack_bytes = 1 << 18;

// A barrier: how many threads are there, and how often it has opened.
struct Barrier {
    int waiting = 0;
    unsigned opened = 0;
};

struct Fiber {
    void *pointer = nullptr;  // of the stack, where the fiber stopped
    char *stack = nullptr;
    void *fake_stack = nullptr;
    bool ended = true;
};

static Fiber fibers[most_threads];
static void *scheduler_pointer;
static void *scheduler_fake_stack;
static const void *scheduler_stack;
static size_t scheduler_stack_bytes;
static int threads, current, left;
static bool moved;
static Barrier block_barrier, warp_barriers[most_threads / warp_size];
static uint64_t exchanged[2][most_threads];
static unsigned exchanges[most_threads];
static void (*work)(void **);
static void **work_arguments;

inline void fail(const char *why)
{
    fprintf(stderr, "emulation: %s\n", why);
    abort();
}

inline void enter_fiber(void *fake_stack, bool first)
{
#if defined(__SANITIZE_ADDRESS__)
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &size);
    if (first || scheduler_stack == nullptr) {
        scheduler_stack = bottom;
        scheduler_stack_bytes = size;
    }
#else
    (void)fake_stack, (void)first;
#endif
}

#if defined(__SANITIZE_ADDRESS__)
#define NOT_WATCHED __attribute__((no_sanitize("address")))
#else
#define NOT_WATCHED
#endif

// Let others run.
NOT_WATCHED inline void yield()
{
    Fiber &own = fibers[current];
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(own.ended ? nullptr : &own.fake_stack, scheduler_stack, scheduler_stack_bytes);
#endif
    emulation_switch(&own.pointer, scheduler_pointer);
    enter_fiber(own.fake_stack, false);
}

inline void wait_at(Barrier &barrier, int members)
{
    moved = true;
    const unsigned before = barrier.opened;
    if (++barrier.waiting == members) {
        barrier.waiting = 0;
        ++barrier.opened;
        return;
    }
    while (barrier.opened == before)
        yield();
    moved = true;
}

NOT_WATCHED static void run_fiber()
{
    enter_fiber(nullptr, true);
    work(work_arguments);
    fibers[current].ended = true;
    moved = true;
    --left;
    yield();
}

inline void resume(int thread)
{
    Fiber &fiber = fibers[thread];
    current = thread;
    threadIdx = {thread % blockDim.x, thread / blockDim.x, 0};
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&scheduler_fake_stack, fiber.stack, stack_bytes);
#endif
    emulation_switch(&scheduler_pointer, fiber.pointer);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(scheduler_fake_stack, nullptr, nullptr);
#endif
}

inline int thread_at(int turn)
{
    if (order == BACKWARD)
        return threads - 1 - turn;
    if (order == ODD_FIRST) {
        const int odd = threads / 2;
        return turn < odd ? 2 * turn + 1 : 2 * (turn - odd);
    }
    return turn;
}

inline void run_block()
{
    for (int thread = 0; thread < threads; ++thread) {
        Fiber &fiber = fibers[thread];
        if (fiber.stack == nullptr)
            fiber.stack = (char *)mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        // Six registers, and where to return to: a function is entered eight bytes below a multiple of sixteen.
        void **top = reinterpret_cast<void **>(fiber.stack + stack_bytes) - 2;
        *top = reinterpret_cast<void *>(run_fiber);
        fiber.pointer = top - 6;
        fiber.fake_stack = nullptr;
        fiber.ended = false;
        exchanges[thread] = 0;
    }
    left = threads;
    while (left > 0) {
        moved = false;
        for (int turn = 0; turn < threads; ++turn)
            if (!fibers[thread_at(turn)].ended)
                resume(thread_at(turn));
        if (!moved && left > 0)
            fail("threads of a block wait for each other for ever");
    }
    if (block_barrier.waiting)
        fail("threads ended that others wait for");
}

// Run a kernel on a grid. Without `together` its threads must not wait for each other, and need no fibers.
inline void launch(void (*kernel)(void **), void **arguments, const unsigned grid[2], const unsigned block[2], bool together)
{
    gridDim = {grid[0], grid[1], 1};
    blockDim = {block[0], block[1], 1};
    threads = int(block[0] * block[1]);
    if (threads > most_threads)
        fail("more threads than a block may have");
    work = kernel;
    work_arguments = arguments;
    for (unsigned y = 0; y < grid[1]; ++y)
        for (unsigned x = 0; x < grid[0]; ++x) {
            blockIdx = {x, y, 0};
            if (together) {
                run_block();
                continue;
            }
            for (int turn = 0; turn < threads; ++turn) {
                const unsigned thread = unsigned(thread_at(turn));
                threadIdx = {thread % blockDim.x, thread / blockDim.x, 0};
                kernel(arguments);
            }
        }
}

// Another lane's value; a lane that there is not gives the own one.
template <typename T>
inline T exchange(T value, int source)
{
    // Two places by turns: nobody writes to one before all have read it, since the other one is in between.
    const int warp = current / warp_size, turn = exchanges[current]++ & 1;
    memcpy(&exchanged[turn][current], &value, sizeof(T));
    wait_at(warp_barriers[warp], warp_size);
    if (source >= 0 && source < warp_size)
        memcpy(&value, &exchanged[turn][warp * warp_size + source], sizeof(T));
    return value;
}

}  // namespace emulation

inline void __syncthreads() { emulation::wait_at(emulation::block_barrier, emulation::threads); }

inline void __syncwarp()
{
    emulation::wait_at(emulation::warp_barriers[emulation::current / emulation::warp_size], emulation::warp_size);
}

template <typename T>
inline T __shfl_sync(unsigned, T value, int source)
{
    return emulation::exchange(value, source);
}

template <typename T>
inline T __shfl_down_sync(unsigned, T value, int distance)
{
    return emulation::exchange(value, emulation::current % emulation::warp_size + distance);
}

template <typename To, typename From>
inline To same_bits(From from)
{
    static_assert(sizeof(To) == sizeof(From), "");
    To to;
    memcpy(&to, &from, sizeof(To));
    return to;
}

inline int __float_as_int(float x) { return same_bits<int>(x); }
inline float __int_as_float(int x) { return same_bits<float>(x); }
inline long long __double_as_longlong(double x) { return same_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return same_bits<double>(x); }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
