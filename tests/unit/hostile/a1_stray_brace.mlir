dist.fence
}
