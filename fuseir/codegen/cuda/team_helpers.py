"""The device functions that reduce by the tree T of docs/kernels.md, section 2: its lanes are threads, and teams of threads share it.

A team says which of its threads go through which iterations (``begin``, ``end``, ``first``, ``step``), which one stores (``leads``), how
they wait (``sync``), and how what each has becomes one value that all have: ``fold``, and ``fold_same`` for a tree that all warps have.
"""

from __future__ import annotations

from fuseir.codegen.cuda.helper import Helper, inline_function

TEAM_HELPERS: dict[str, Helper] = {
    "TreeFold": Helper(
        """\
// One lane of the reduction tree: values are folded in order into a block's partial, finished blocks in pairs, level by level.
template <typename T, T combine(T, T), typename Index>
struct TreeFold {
    T identity, partial, stack[8 * sizeof(Index) - 10];
    u32 blocks;

    __device__ __forceinline__ explicit TreeFold(T neutral) : identity(neutral), partial(neutral), blocks(0) {}

    __device__ __forceinline__ void add(T value) { partial = combine(partial, value); }

    __device__ __forceinline__ void end_block()
    {
        push(partial);
        partial = identity;
    }

    __device__ __forceinline__ void push(T node)
    {
        int level = 0;
        for (u32 full = blocks; full & 1; full >>= 1)
            node = combine(stack[level++], node);
        stack[level] = node;
        ++blocks;
    }

    __device__ __forceinline__ T node() const
    {
        T result = identity;
        for (int level = 0; blocks >> level; ++level)
            if (blocks >> level & 1)
                result = combine(stack[level], result);
        return result;
    }
};
"""
    ),
    "fold_lanes": Helper(
        inline_function(
            "T combine(T, T), typename T",
            "T fold_lanes(T value)",
            """\
for (int half = 16; half > 0; half /= 2)
    value = combine(value, T(__shfl_down_sync(0xffffffffu, value, half)));
return T(__shfl_sync(0xffffffffu, value, 0));""",
        ).replace("template <T combine(T, T), typename T>", "template <typename T, T combine(T, T)>")
    ),
    "team_memory": Helper(
        """\
// What the threads of a block show each other: 32 values of each of up to 32 warps.
template <typename T>
__device__ __forceinline__ T (*team_memory())[32]
{
    __shared__ T memory[32][32];
    return memory;
}
"""
    ),
    "WarpTeam": Helper(
        """\
// A warp: its threads are the lanes of the reduction tree.
struct WarpTeam {
    int lane = threadIdx.x;

    static __device__ __forceinline__ u32 first_item() { return blockIdx.x * blockDim.y + threadIdx.y; }
    static __device__ __forceinline__ u32 items_at_a_time() { return gridDim.x * blockDim.y; }
    __device__ __forceinline__ bool leads() const { return lane == 0; }
    __device__ __forceinline__ int first() const { return lane; }
    __device__ __forceinline__ int step() const { return 32; }
    __device__ __forceinline__ void sync() const { __syncwarp(); }
    template <typename Index> __device__ __forceinline__ Index begin(Index, Index) const { return 0; }
    template <typename Index> __device__ __forceinline__ Index end(Index count, Index) const { return count; }
    template <typename T, T combine(T, T), typename Index>
    __device__ __forceinline__ T fold(const TreeFold<T, combine, Index> &tree) const
    {
        return fold_lanes<T, combine>(tree.node());
    }
    template <typename T, T combine(T, T), typename Index>
    __device__ __forceinline__ T fold_same(const TreeFold<T, combine, Index> &tree) const
    {
        return fold(tree);
    }
};
""",
        ("TreeFold", "fold_lanes"),
    ),
    "BlockTeam": Helper(
        """\
// A block of up to 32 warps: each folds a power of two of neighbouring blocks of the tree, and then they are folded.
struct BlockTeam {
    int lane = threadIdx.x, warp = threadIdx.y, warps = blockDim.y;

    static __device__ __forceinline__ u32 first_item() { return blockIdx.x; }
    static __device__ __forceinline__ u32 items_at_a_time() { return gridDim.x; }
    __device__ __forceinline__ bool leads() const { return lane == 0 && warp == 0; }
    __device__ __forceinline__ int first() const { return warp * 32 + lane; }
    __device__ __forceinline__ int step() const { return warps * 32; }
    __device__ __forceinline__ void sync() const { __syncthreads(); }
    template <typename Index> __device__ __forceinline__ Index span(Index count, Index unit) const
    {
        while (unit * warps < count)
            unit *= 2;
        return unit;
    }
    template <typename Index> __device__ __forceinline__ Index begin(Index count, Index unit) const
    {
        return warp * span(count, unit);
    }
    template <typename Index> __device__ __forceinline__ Index end(Index count, Index unit) const
    {
        const Index last = (warp + 1) * span(count, unit);
        return last < count ? last : count;
    }
    template <typename T, T combine(T, T), typename Index>
    __device__ __forceinline__ T fold(const TreeFold<T, combine, Index> &tree) const
    {
        T(*const memory)[32] = team_memory<T>();
        memory[warp][lane] = tree.node();
        for (int gap = 1; gap < warps; gap *= 2) {
            __syncthreads();
            if (warp % (2 * gap) == 0 && warp + gap < warps)
                memory[warp][lane] = combine(memory[warp][lane], memory[warp + gap][lane]);
        }
        __syncthreads();
        const T whole = fold_lanes<T, combine>(memory[0][lane]);
        __syncthreads();
        return whole;
    }
    // Of a tree that all warps have.
    template <typename T, T combine(T, T), typename Index>
    __device__ __forceinline__ T fold_same(const TreeFold<T, combine, Index> &tree) const
    {
        return fold_lanes<T, combine>(tree.node());
    }
};
""",
        ("TreeFold", "fold_lanes", "team_memory"),
    ),
    "ColumnTeam": Helper(
        """\
// 32 threads above each other: neighbouring threads have neighbouring items. Beyond the last item threads repeat it and store nothing.
struct ColumnTeam {
    bool live;
    int lane = threadIdx.y;

    __device__ __forceinline__ bool leads() const { return live && lane == 0; }
    __device__ __forceinline__ int first() const { return lane; }
    __device__ __forceinline__ int step() const { return 32; }
    __device__ __forceinline__ void sync() const { __syncthreads(); }
    template <typename Index> __device__ __forceinline__ Index begin(Index, Index) const { return 0; }
    template <typename Index> __device__ __forceinline__ Index end(Index count, Index) const { return count; }
    template <typename T, T combine(T, T), typename Index>
    __device__ __forceinline__ T fold(const TreeFold<T, combine, Index> &tree) const
    {
        T(*const memory)[32] = team_memory<T>();
        const int column = threadIdx.x;
        memory[lane][column] = tree.node();
        for (int half = 16; half > 0; half /= 2) {
            __syncthreads();
            if (lane < half)
                memory[lane][column] = combine(memory[lane][column], memory[lane + half][column]);
        }
        __syncthreads();
        const T whole = memory[0][column];
        __syncthreads();
        return whole;
    }
    template <typename T, T combine(T, T), typename Index>
    __device__ __forceinline__ T fold_same(const TreeFold<T, combine, Index> &tree) const
    {
        return fold(tree);
    }
};
""",
        ("TreeFold", "team_memory"),
    ),
}
