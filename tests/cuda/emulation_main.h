// Runs jobs on emulated kernels: reads them from the file named first, writes what became of their memory to the file named second.
// The table `entries` comes before this text. All numbers in the files are 64 bits.
#include <vector>

template <typename... Parameters, size_t... Numbers>
inline void call_numbered(void (*kernel)(Parameters...), void **arguments, std::index_sequence<Numbers...>)
{
    kernel(*reinterpret_cast<Parameters *>(arguments[Numbers])...);
}

template <typename... Parameters>
inline void call(void (*kernel)(Parameters...), void **arguments)
{
    call_numbered(kernel, arguments, std::index_sequence_for<Parameters...>());
}

struct Entry {
    void (*run)(void **);
    bool together;
};

static FILE *jobs_file;

static uint64_t number()
{
    uint64_t value;
    if (fread(&value, 8, 1, jobs_file) != 1)
        emulation::fail("the jobs end too early");
    return value;
}

static int run_jobs(const Entry *entries, const char *jobs_name, const char *results_name)
{
    jobs_file = fopen(jobs_name, "rb");
    FILE *results = fopen(results_name, "wb");
    if (!jobs_file || !results)
        emulation::fail("a file cannot be opened");
    for (uint64_t jobs = number(); jobs > 0; --jobs) {
        emulation::order = int(number());
        // Memory: bytes before the first element (so that addresses can be odd), and the contents.
        std::vector<char *> memory;
        std::vector<std::pair<uint64_t, uint64_t>> sizes;
        for (uint64_t count = number(); count > 0; --count) {
            const uint64_t before = number(), bytes = number();
            memory.push_back(static_cast<char *>(malloc(before + bytes)));
            sizes.emplace_back(before, bytes);
            if (bytes && fread(memory.back() + before, 1, bytes, jobs_file) != bytes)
                emulation::fail("the jobs end too early");
        }
        for (uint64_t launches = number(); launches > 0; --launches) {
            const Entry &entry = entries[number()];
            unsigned shape[4];
            for (unsigned &extent : shape)
                extent = unsigned(number());
            // Arguments: an address (0, memory, offset) or a value (1, bits, 0).
            std::vector<uint64_t> values(number());
            for (uint64_t &value : values) {
                const uint64_t kind = number(), first = number(), offset = number();
                value = kind ? first : reinterpret_cast<uint64_t>(memory[first] + offset);
            }
            std::vector<void *> arguments;
            for (uint64_t &value : values)
                arguments.push_back(&value);
            emulation::launch(entry.run, arguments.data(), shape, shape + 2, entry.together);
        }
        for (size_t place = 0; place < memory.size(); ++place) {
            if (sizes[place].second)
                fwrite(memory[place] + sizes[place].first, 1, sizes[place].second, results);
            free(memory[place]);
        }
    }
    fclose(jobs_file);
    return fclose(results);
}
