#include "emulated_driver.h"

#include <memory>
#include <vector>

namespace {

struct NodeParams {
    const EmulatedFunction *function;
    unsigned grid[3], block[3], shared;
    void **parameters;
    void **extra;
};

// A launch with parameters of its own.
struct Launch {
    const EmulatedFunction *function;
    unsigned grid[3], block[3];
    std::vector<uint64_t> words;

    void set(const NodeParams &params)
    {
        function = params.function;
        memcpy(grid, params.grid, sizeof grid);
        memcpy(block, params.block, sizeof block);
        words.assign(function->count, 0);
        for (unsigned k = 0; k < function->count; ++k)
            memcpy(&words[k], params.parameters[k], function->sizes[k]);
    }

    void run()
    {
        std::vector<void *> arguments;
        for (uint64_t &word : words)
            arguments.push_back(&word);
        function->run(arguments.data(), grid, block);
    }
};

struct Node {
    Launch launch;
    std::vector<size_t> after;
    size_t number;
};

struct Graph {
    std::vector<std::unique_ptr<Node>> nodes;
};

struct Executable {
    std::vector<Launch> launches;
    std::vector<std::vector<size_t>> after;
};

enum { LAUNCH, CREATE, ADD, INSTANTIATE, SET, LAUNCH_GRAPH, DESTROY, DESTROY_EXECUTABLE, FILL, CALLS };

uint64_t counts[CALLS + 1];  // the last one counts kernels that ran
uint64_t fails_at[CALLS];
int fails_with[CALLS];
int lost;

int enter(int call)
{
    ++counts[call];
    if (lost)
        return lost;
    if (fails_at[call] == counts[call]) {
        if (fails_with[call] >= 700 && fails_with[call] < 800)
            lost = fails_with[call];
        return fails_with[call];
    }
    return 0;
}

}  // namespace

extern "C" {

// For tests.
uint64_t *emulated_counts() { return counts; }
void emulated_fail(int call, uint64_t after, int code) { fails_at[call] = after ? counts[call] + after : 0, fails_with[call] = code; }
void emulated_lose(int code) { lost = code; }

int cuGetErrorName(int code, const char **name)
{
    *name = code == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : code == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR_OF_THE_EMULATION";
    return 0;
}

int cuLaunchKernel(const EmulatedFunction *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *, void **parameters, void **extra)
{
    if (int code = enter(LAUNCH))
        return code;
    Launch launch;
    launch.set({function, {gx, gy, gz}, {bx, by, bz}, shared, parameters, extra});
    launch.run();
    ++counts[CALLS];
    return 0;
}

int cuMemsetD2D32Async(uint64_t address, size_t pitch, unsigned value, size_t width, size_t height, void *)
{
    if (int code = enter(FILL))
        return code;
    for (size_t row = 0; row < height; ++row)
        for (size_t column = 0; column < width; ++column)
            memcpy(reinterpret_cast<char *>(address) + row * pitch + 4 * column, &value, 4);
    return 0;
}

int cuMemsetD32Async(uint64_t address, unsigned value, size_t count, void *stream)
{
    return cuMemsetD2D32Async(address, 4, value, 1, count, stream);
}

int cuMemsetD16Async(uint64_t address, unsigned short value, size_t count, void *)
{
    if (int code = enter(FILL))
        return code;
    for (size_t k = 0; k < count; ++k)
        memcpy(reinterpret_cast<char *>(address) + 2 * k, &value, 2);
    return 0;
}

int cuMemsetD8Async(uint64_t address, unsigned char value, size_t count, void *)
{
    if (int code = enter(FILL))
        return code;
    memset(reinterpret_cast<void *>(address), value, count);
    return 0;
}

int cuGraphCreate(Graph **graph, unsigned)
{
    if (int code = enter(CREATE))
        return code;
    *graph = new Graph;
    return 0;
}

int cuGraphAddKernelNode(Node **node, Graph *graph, Node *const *after, size_t count, const NodeParams *params)
{
    if (int code = enter(ADD))
        return code;
    graph->nodes.push_back(std::make_unique<Node>());
    *node = graph->nodes.back().get();
    (*node)->number = graph->nodes.size() - 1;
    (*node)->launch.set(*params);
    for (size_t k = 0; k < count; ++k)
        (*node)->after.push_back(after[k]->number);
    return 0;
}

int cuGraphInstantiateWithFlags(Executable **executable, const Graph *graph, uint64_t)
{
    if (int code = enter(INSTANTIATE))
        return code;
    *executable = new Executable;
    for (const auto &node : graph->nodes) {
        (*executable)->launches.push_back(node->launch);
        (*executable)->after.push_back(node->after);
    }
    return 0;
}

int cuGraphExecKernelNodeSetParams(Executable *executable, const Node *node, const NodeParams *params)
{
    if (int code = enter(SET))
        return code;
    Launch &launch = executable->launches[node->number];
    if (launch.function != params->function)
        return 1;
    launch.set(*params);
    return 0;
}

int cuGraphLaunch(Executable *executable, void *)
{
    if (int code = enter(LAUNCH_GRAPH))
        return code;
    const size_t count = executable->launches.size();
    std::vector<bool> done(count);
    for (size_t left = count; left > 0; --left) {
        size_t next = count;
        for (size_t k = 0; k < count; ++k) {
            bool ready = !done[k];
            for (size_t before : executable->after[k])
                ready = ready && done[before];
            if (ready)
                next = k;
        }
        executable->launches[next].run();
        done[next] = true;
        ++counts[CALLS];
    }
    return 0;
}

int cuGraphExecDestroy(Executable *executable)
{
    ++counts[DESTROY_EXECUTABLE];
    delete executable;
    return 0;
}

int cuGraphDestroy(Graph *graph)
{
    ++counts[DESTROY];
    delete graph;
    return 0;
}
}
